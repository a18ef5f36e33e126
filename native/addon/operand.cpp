#include "operand.h"

#include "memory.h"

namespace culoss {
namespace {

Bytes bytes_of(const Napi::Value& value, const char* name, int device) {
  const auto refuse = [&](const char* code, const char* why) {
    return Error(code, std::string(name) + why);
  };
  if (value.IsTypedArray()) {
    if (device != Call::kCpu) throw refuse("ERR_DEVICE", ": expected memory of the device");
    return host_bytes(value, name);
  }
  const DeviceMemory* on_device = DeviceMemory::from(value);
  if (on_device == nullptr) throw refuse("ERR_DTYPE", ": expected memory");
  if (on_device->device() != device) throw refuse("ERR_DEVICE", ": is on another device");
  return {on_device->address(), on_device->size(), on_device->memory()};
}

}  // namespace

Bytes host_bytes(const Napi::Value& value, const char* name) {
  const auto refuse = [&] {
    return Error("ERR_DTYPE", std::string(name) + ": expected a typed array");
  };
  if (!value.IsTypedArray()) throw refuse();
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  void* memory = nullptr;
  if (napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &memory, nullptr, nullptr) !=
      napi_ok) {
    throw refuse();
  }
  return {memory, array.ByteLength(), nullptr};
}

void* address_from(const Napi::Value& value, size_t bytes) {
  bool is_whole = false;
  uint64_t address = 0, end = 0;
  if (value.IsBigInt()) address = value.As<Napi::BigInt>().Uint64Value(&is_whole);
  if (!is_whole || address == 0 || __builtin_add_overflow(address, bytes, &end)) {
    throw Error("ERR_OPTION", "address: expected that of " + std::to_string(bytes) + " bytes");
  }
  return reinterpret_cast<void*>(address);
}

size_t checked_bytes(const Layout& layout, Dtype dtype) {
  int64_t bytes;
  if (__builtin_mul_overflow(layout.outer, layout.columns, &bytes) ||
      __builtin_mul_overflow(bytes, layout.inner, &bytes) ||
      __builtin_mul_overflow(bytes, int64_t(bytes_per_element(dtype)), &bytes)) {
    throw Error("ERR_SHAPE", "shape: expected fewer than 2^63 bytes");
  }
  return size_t(bytes);
}

int64_t count_from(double count, const char* name) {
  if (!(count >= 0 && count < 9007199254740992.0)) {
    throw Error("ERR_SHAPE", std::string(name) + ": expected a count");
  }
  return int64_t(count);
}

Operand operand_from(const Napi::Value& memory, double dtype, double size, const char* name,
                     int device) {
  if (!(dtype >= 0 && dtype < kDtypes)) {
    throw Error("ERR_DTYPE", std::string(name) + ": unknown dtype");
  }
  const Dtype known = Dtype(dtype);
  const int64_t count = count_from(size, name);
  const Bytes bytes = bytes_of(memory, name, device);
  const size_t needed = checked_bytes({count, 1, 1}, known);
  if (bytes.size < needed) {
    throw Error("ERR_SHAPE", std::string(name) + ": expected " + std::to_string(needed) +
                                 " bytes of memory, got " + std::to_string(bytes.size) +
                                 " (was its buffer detached or shrunk?)");
  }
  if (reinterpret_cast<uintptr_t>(bytes.memory) % bytes_per_element(known) != 0) {
    throw Error("ERR_DTYPE", std::string(name) + ": expected memory aligned to its dtype");
  }
  return {bytes.memory, known, count, bytes.owner};
}

}  // namespace culoss
