#include "memory.h"

#include <cstring>

#include "../cpu/background.h"
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"
#include "jobs.h"
#include "operand.h"

namespace culoss {
namespace {

constexpr napi_type_tag kTypeTag = {0x63756c6f73732d6d, 0x656d6f72792d7631};

Bytes whole_host_bytes(const Napi::Value& value, size_t needed) {
  const Bytes bytes = host_bytes(value, "memory");
  if (bytes.size != needed) {
    throw Error("ERR_SHAPE", "memory: expected " + std::to_string(needed) + " bytes, got " +
                                 std::to_string(bytes.size));
  }
  return bytes;
}

// Memory that only the collector knows to be free is asked for last.
template <class Allocate>
std::shared_ptr<cuda::Memory> sweeping(Registry& registry, const Allocate& allocate) {
  registry.sweep_if_due();
  try {
    return allocate();
  } catch (const Error& error) {
    if (error.code != "ERR_OUT_OF_MEMORY" || !registry.sweep()) throw;
  }
  return allocate();
}

// Memory of someone else, who is told when nothing touches it any more, unless the environment ends
// before.
std::shared_ptr<cuda::Memory> adopted(const Napi::CallbackInfo& info, int device, size_t bytes) {
  void* const address = address_from(info[2], bytes);
  const Napi::Env env = info.Env();
  if (!info[3].IsFunction()) return cuda::adopt(device, address, bytes, nullptr);
  const auto tell =
      std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[3].As<Napi::Function>()));
  // By then the environment may have let go of its jobs.
  const std::weak_ptr<Jobs> held = Jobs::of(env).weak_from_this();
  return cuda::adopt(device, address, bytes, [held, env, tell](std::shared_ptr<Task> last_use) {
    const std::shared_ptr<Jobs> jobs = held.lock();
    if (!jobs || !jobs->is_open()) return;
    const Napi::HandleScope scope(env);
    try {
      if (!last_use) last_use = std::make_shared<cpu::Job>([] {});
      jobs->start(std::move(last_use), tell->Value());
    } catch (const std::exception&) {
      // There is no thread to wait with: it may still be touched, and nobody is told.
    }
  });
}

// New memory for other processes, or that of another one.
std::shared_ptr<cuda::Memory> shared(const Napi::Object& of, int device, size_t bytes) {
  if (of.Get("handle").IsUndefined()) return cuda::allocate_shareable(device, bytes);
  const Bytes given = host_bytes(of.Get("handle"), "handle");
  cuda::IpcHandle handle;
  if (given.size != handle.size()) {
    throw Error("ERR_OPTION", "handle: expected " + std::to_string(handle.size()) + " bytes");
  }
  std::memcpy(handle.data(), given.memory, given.size);
  const int64_t offset = count_from(of.Get("offset").ToNumber().DoubleValue(), "offset");
  return cuda::open_shared(device, handle, size_t(offset), bytes);
}

}  // namespace

// constructor(device: number, byteLength: number, source?: Source, released?: Done)
DeviceMemory::DeviceMemory(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<DeviceMemory>(info), registry_(Registry::of(info.Env())) {
  guarded(info.Env(), [&] {
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    device_ = info[0].ToNumber().Int32Value();
    if (device_ < 0 || device_ >= cuda::device_count()) {
      throw Error("ERR_DEVICE", "device: there is no cuda:" + std::to_string(device_));
    }
    size_ = size_t(info[1].ToNumber().Int64Value());
    if (info[2].IsBigInt()) {
      memory_ = adopted(info, device_, size_);
      registry_->add(this);
      is_foreign_ = true;
      return;
    }
    if (info[2].IsObject() && !info[2].IsTypedArray()) {
      memory_ = sweeping(*registry_, [&] { return shared(info[2].ToObject(), device_, size_); });
      registry_->add(this);
      return;
    }
    const bool has_source = !info[2].IsUndefined();
    const Bytes source = has_source ? whole_host_bytes(info[2], size_) : Bytes{};
    if (size_ > 0) {
      memory_ = sweeping(*registry_, [&] {
        return has_source ? cuda::upload(device_, source.memory, size_)
                          : cuda::allocate(device_, size_);
      });
    }
    registry_->add(this);
  });
  account_for(int64_t(size_));
}

// The collector's way out: a safety net behind dispose().
DeviceMemory::~DeviceMemory() { free_collected(); }

void DeviceMemory::free_collected() noexcept {
  if (memory_ && !disposed_ && !is_foreign_) registry_->count_leak(device_);
  free();
}

DeviceMemory* DeviceMemory::from(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTypeTag)) return nullptr;
  DeviceMemory* memory = Unwrap(value.As<Napi::Object>());
  if (memory->disposed_) throw Error("ERR_DISPOSED", "the device memory was disposed");
  return memory;
}

// write(source: HostMemory | DeviceMemory): void
void DeviceMemory::write(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    expect_usable();
    if (const DeviceMemory* source = from(info[0])) {
      if (source->size_ != size_) throw Error("ERR_SHAPE", "memory: expected as many bytes");
      if (size_ == 0) return;
      cuda::copy_on_device(memory_, source->memory_);
    } else {
      const Bytes bytes = whole_host_bytes(info[0], size_);
      if (size_ > 0) cuda::copy_to_device(memory_, bytes.memory);
    }
  });
}

// read(target: HostMemory): void
//
// Waits for the device.
void DeviceMemory::read(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    expect_usable();
    const Bytes target = whole_host_bytes(info[0], size_);
    if (size_ > 0) cuda::copy_to_host(target.memory, *memory_);
  });
}

// readAsync(target: HostMemory, done: Done): void
void DeviceMemory::read_async(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    expect_usable();
    const Bytes target = whole_host_bytes(info[0], size_);
    if (size_ == 0) throw Error("ERR_SHAPE", "memory: expected some bytes");
    const auto through = sweeping(*registry_, [&] { return cuda::allocate(device_, size_); });
    const auto task = cuda::copying_to_host(target.memory, memory_, through);
    Jobs::of(info.Env()).start(task, info[1].As<Napi::Function>(), info[0].As<Napi::Object>());
  });
}

// ipcHandle(): Uint8Array
Napi::Value DeviceMemory::ipc_handle(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    expect_usable();
    const cuda::IpcHandle handle = cuda::ipc_handle_of(*memory_);
    Napi::Uint8Array bytes = Napi::Uint8Array::New(info.Env(), handle.size());
    std::memcpy(bytes.Data(), handle.data(), handle.size());
    return bytes;
  });
}

// dispose(): void
void DeviceMemory::dispose(const Napi::CallbackInfo&) { free(); }

void DeviceMemory::expect_usable() const {
  if (disposed_) throw Error("ERR_DISPOSED", "the device memory was disposed");
}

// For the collector, to which an object looks small.
void DeviceMemory::account_for(int64_t bytes) noexcept {
  if (is_foreign_) return;
  int64_t total;  // not asked for; an environment that ends may refuse, which changes nothing
  napi_adjust_external_memory(Env(), bytes, &total);
}

void DeviceMemory::free() noexcept {
  if (disposed_) return;
  disposed_ = true;
  registry_->remove(this);
  account_for(-int64_t(size_));
  memory_ = nullptr;  // a graph may hold it, too
}

Napi::Function DeviceMemory::define(Napi::Env env) {
  return DefineClass(
      env, "DeviceMemory",
      {InstanceMethod<&DeviceMemory::write>("write"), InstanceMethod<&DeviceMemory::read>("read"),
       InstanceMethod<&DeviceMemory::read_async>("readAsync"),
       InstanceMethod<&DeviceMemory::ipc_handle>("ipcHandle"),
       InstanceMethod<&DeviceMemory::dispose>("dispose")});
}

void InitMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("DeviceMemory", DeviceMemory::define(env));
}

}  // namespace culoss
