// Memory of a CUDA device, owned by a JavaScript object.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/call.h"
#include "../cuda/memory.h"
#include "registry.h"

namespace culoss {

class DeviceMemory : public Napi::ObjectWrap<DeviceMemory> {
 public:
  explicit DeviceMemory(const Napi::CallbackInfo& info);
  ~DeviceMemory() override;

  static Napi::Function define(Napi::Env env);
  // The object behind a JavaScript value; null if it is none, throws if it was disposed.
  static DeviceMemory* from(const Napi::Value& value);

  int device() const { return device_; }
  // Null where there are no bytes.
  const std::shared_ptr<cuda::Memory>& memory() const { return memory_; }
  void* address() const { return memory_ ? memory_->address : nullptr; }
  size_t size() const { return size_; }

  // Frees what nobody disposed: the object is no more.
  void free_collected() noexcept;

 private:
  void write(const Napi::CallbackInfo& info);
  void read(const Napi::CallbackInfo& info);
  void read_async(const Napi::CallbackInfo& info);
  Napi::Value ipc_handle(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  void expect_usable() const;
  void free() noexcept;
  void account_for(int64_t bytes) noexcept;

  std::shared_ptr<Registry> registry_;
  int device_ = Call::kCpu;
  std::shared_ptr<cuda::Memory> memory_;
  size_t size_ = 0;
  bool is_foreign_ = false;
  bool disposed_ = false;
};

}  // namespace culoss
