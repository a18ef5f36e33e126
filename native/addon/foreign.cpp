// Memory that others own, and addresses for them.
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"
#include "memory.h"
#include "operand.h"

namespace culoss {
namespace {

// addressOf(memory: HostMemory | DeviceMemory): bigint
Napi::Value AddressOf(const Napi::CallbackInfo& info) {
  const DeviceMemory* const on_device = DeviceMemory::from(info[0]);
  void* const address = on_device ? on_device->address() : host_bytes(info[0], "memory").memory;
  return Napi::BigInt::New(info.Env(), uint64_t(reinterpret_cast<uintptr_t>(address)));
}

// hostMemory(address: bigint, byteLength: number): ArrayBuffer
Napi::Value HostMemoryAt(const Napi::CallbackInfo& info) {
  const size_t bytes = size_t(info[1].ToNumber().Int64Value());
  return Napi::ArrayBuffer::New(info.Env(), address_from(info[0], bytes), bytes);
}

// pinnedMemory(byteLength: number): ArrayBuffer
Napi::Value PinnedMemory(const Napi::CallbackInfo& info) {
  const size_t bytes = size_t(info[0].ToNumber().Int64Value());
  if (bytes == 0) return Napi::ArrayBuffer::New(info.Env(), 0);
  const auto free = [](Napi::Env, void* memory) { cuda::free_pinned(memory); };
  void* const memory = cuda::allocate_pinned(bytes);
  try {
    return Napi::ArrayBuffer::New(info.Env(), memory, bytes, free);
  } catch (...) {
    cuda::free_pinned(memory);
    throw;
  }
}

// detach(buffer: ArrayBuffer): void
Napi::Value Detach(const Napi::CallbackInfo& info) {
  if (!info[0].IsArrayBuffer()) throw Error("ERR_DTYPE", "buffer: expected an ArrayBuffer");
  info[0].As<Napi::ArrayBuffer>().Detach();
  return info.Env().Undefined();
}

}  // namespace

void InitForeign(Napi::Env, Napi::Object exports) {
  export_function<AddressOf>(exports, "addressOf");
  export_function<HostMemoryAt>(exports, "hostMemory");
  export_function<PinnedMemory>(exports, "pinnedMemory");
  export_function<Detach>(exports, "detach");
}

}  // namespace culoss
