// What JavaScript can ask about CUDA devices.
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"

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

// cudaSynchronize(device: number): void
Napi::Value CudaSynchronize(const Napi::CallbackInfo& info) {
  cuda::synchronize(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

}  // namespace

void InitCuda(Napi::Env, Napi::Object exports) {
  export_function<CudaUnavailableReason>(exports, "cudaUnavailableReason");
  export_function<CudaDeviceCount>(exports, "cudaDeviceCount");
  export_function<CudaProperties>(exports, "cudaProperties");
  export_function<CudaSynchronize>(exports, "cudaSynchronize");
}

}  // namespace culoss
