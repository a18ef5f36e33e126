// What JavaScript can ask about CUDA devices.
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"
#include "jobs.h"
#include "registry.h"

namespace culoss {
namespace {

// cudaUnavailableReason(): Reason | null
Napi::Value CudaUnavailableReason(const Napi::CallbackInfo& info) {
  const auto reason = cuda::unavailable_reason();
  if (!reason) return info.Env().Null();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("code", reason->code);
  result.Set("message", reason->message);
  result.Set("hint", reason->hint);
  return result;
}

// cudaDeviceCount(): number
Napi::Value CudaDeviceCount(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), cuda::device_count());
}

// cudaProperties(device: number): Properties
Napi::Value CudaProperties(const Napi::CallbackInfo& info) {
  const cuda::Properties properties = cuda::properties(info[0].ToNumber().Int32Value());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("name", properties.name);
  result.Set("major", properties.major);
  result.Set("minor", properties.minor);
  result.Set("totalMemory", double(properties.total_memory));
  return result;
}

// cudaMemory(device: number): PoolMemory
Napi::Value CudaMemory(const Napi::CallbackInfo& info) {
  const int device = info[0].ToNumber().Int32Value();
  const cuda::PoolMemory memory = cuda::pool_memory(device);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("allocated", double(memory.allocated));
  result.Set("reserved", double(memory.reserved));
  result.Set("peak", double(memory.peak));
  const bool is_limited = memory.limit != SIZE_MAX;
  result.Set("limit",
             is_limited ? Napi::Number::New(info.Env(), double(memory.limit)) : info.Env().Null());
  result.Set("leaks", double(Registry::of(info.Env())->leaks(device)));
  return result;
}

// cudaResetPeakMemory(device: number): void
Napi::Value CudaResetPeakMemory(const Napi::CallbackInfo& info) {
  cuda::reset_peak_memory(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

// cudaEmptyCache(device: number): void
Napi::Value CudaEmptyCache(const Napi::CallbackInfo& info) {
  cuda::empty_cache(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

// cudaLimitMemory(device: number, bytes: number | null): void
Napi::Value CudaLimitMemory(const Napi::CallbackInfo& info) {
  std::optional<size_t> bytes;
  if (!info[1].IsNull()) bytes = size_t(info[1].ToNumber().Int64Value());
  cuda::limit_memory(info[0].ToNumber().Int32Value(), bytes);
  return info.Env().Undefined();
}

// cudaSynchronize(device: number, done: Done): void
Napi::Value CudaSynchronize(const Napi::CallbackInfo& info) {
  const auto task = cuda::synchronizing(info[0].ToNumber().Int32Value());
  Jobs::of(info.Env()).start(task, info[1].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace

void InitCuda(Napi::Env, Napi::Object exports) {
  export_function<CudaUnavailableReason>(exports, "cudaUnavailableReason");
  export_function<CudaDeviceCount>(exports, "cudaDeviceCount");
  export_function<CudaProperties>(exports, "cudaProperties");
  export_function<CudaMemory>(exports, "cudaMemory");
  export_function<CudaResetPeakMemory>(exports, "cudaResetPeakMemory");
  export_function<CudaEmptyCache>(exports, "cudaEmptyCache");
  export_function<CudaLimitMemory>(exports, "cudaLimitMemory");
  export_function<CudaSynchronize>(exports, "cudaSynchronize");
}

}  // namespace culoss
