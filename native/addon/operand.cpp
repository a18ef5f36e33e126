#include "operand.h"

#include "memory.h"

namespace culoss {
namespace {

Bytes bytes_of(const Napi::Value& value, const std::string& name, int device) {
  if (value.IsTypedArray()) {
    if (device != Call::kCpu) throw Error("ERR_DEVICE", name + ": expected memory of the device");
    return host_bytes(value, name);
  }
  const DeviceMemory* on_device = DeviceMemory::from(value);
  if (on_device == nullptr) throw Error("ERR_DTYPE", name + ": expected memory");
  if (on_device->device() != device) throw Error("ERR_DEVICE", name + ": is on another device");
  return {on_device->address(), on_device->size(), on_device->memory()};
}

}  // namespace

Bytes host_bytes(const Napi::Value& value, const std::string& name) {
  if (!value.IsTypedArray()) throw Error("ERR_DTYPE", name + ": expected a typed array");
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  void* memory = nullptr;
  if (napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &memory, nullptr, nullptr) !=
      napi_ok) {
    throw Error("ERR_DTYPE", name + ": expected a typed array");
  }
  return {memory, array.ByteLength(), nullptr};
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

int64_t count_from(const Napi::Object& object, const char* name) {
  const double count = object.Get(name).ToNumber().DoubleValue();
  if (!(count >= 0 && count < 9007199254740992.0)) {
    throw Error("ERR_SHAPE", std::string(name) + ": expected a count");
  }
  return int64_t(count);
}

Operand operand_from(const Napi::Object& object, const char* name, int device) {
  const Napi::Value value = object.Get(name);
  if (!value.IsObject()) throw Error("ERR_DTYPE", std::string(name) + ": expected a tensor");
  const Napi::Object operand = value.As<Napi::Object>();
  const int64_t dtype = count_from(operand, "dtype");
  if (dtype >= kDtypes) throw Error("ERR_DTYPE", std::string(name) + ": unknown dtype");
  const Dtype known = Dtype(dtype);
  const int64_t size = count_from(operand, "size");
  const Bytes bytes = bytes_of(operand.Get("memory"), name, device);
  const size_t needed = checked_bytes({size, 1, 1}, known);
  if (bytes.size < needed) {
    throw Error("ERR_SHAPE", std::string(name) + ": expected " + std::to_string(needed) +
                                 " bytes of memory, got " + std::to_string(bytes.size) +
                                 " (was its buffer detached or shrunk?)");
  }
  if (reinterpret_cast<uintptr_t>(bytes.memory) % bytes_per_element(known) != 0) {
    throw Error("ERR_DTYPE", std::string(name) + ": expected memory aligned to its dtype");
  }
  return {bytes.memory, known, size, bytes.owner};
}

}  // namespace culoss
