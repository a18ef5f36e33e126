// Memory that crosses the boundary: a typed array or a DeviceMemory, checked before it is used.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/dtype.h"
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
