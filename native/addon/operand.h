// Memory that crosses the boundary: a typed array or a DeviceMemory, checked before it is used.
#pragma once

#include <napi.h>

#include <memory>
#include <span>

#include "../core/dtype.h"
#include "../core/error.h"
#include "../core/layout.h"
#include "../cuda/memory.h"

namespace culoss {

// The memory of one tensor.
struct Operand {
  void* memory;
  Dtype dtype;
  int64_t size;                         // elements
  std::shared_ptr<cuda::Memory> owner;  // of what is on a device; null on the host
};

struct Bytes {
  void* memory;
  size_t size;
  std::shared_ptr<cuda::Memory> owner;
};

// The memory of a typed array as it is now: a detached or shrunken buffer shows as fewer bytes.
Bytes host_bytes(const Napi::Value& value, const char* name);

// The elements of a typed array of one type.
template <class T>
std::span<T> elements_from(const Napi::Value& value, const char* name) {
  constexpr napi_typedarray_type kType = std::is_same_v<T, double>    ? napi_float64_array
                                         : std::is_same_v<T, float>   ? napi_float32_array
                                         : std::is_same_v<T, int32_t> ? napi_int32_array
                                                                      : napi_uint8_array;
  static_assert(kType != napi_uint8_array || std::is_same_v<T, uint8_t>);
  const Bytes bytes = host_bytes(value, name);
  if (value.As<Napi::TypedArray>().TypedArrayType() != kType) {
    throw Error("ERR_DTYPE", std::string(name) + ": expected another typed array");
  }
  return {static_cast<T*>(bytes.memory), bytes.size / sizeof(T)};
}

// Where so many bytes are; throws where no memory can be.
void* address_from(const Napi::Value& address, size_t bytes);

// Bytes of a layout; throws where that is beyond any memory.
size_t checked_bytes(const Layout& layout, Dtype dtype);

// A count in [0, 2^53).
int64_t count_from(double count, const char* name);

// Throws unless the memory is on `device`, whole, and aligned.
Operand operand_from(const Napi::Value& memory, double dtype, double size, const char* name,
                     int device);

}  // namespace culoss
