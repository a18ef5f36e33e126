// The threads of the CPU engine.
#include "../cpu/threads.h"
#include "addon.h"
#include "guard.h"

namespace culoss {
namespace {

// cpuThreads(): number
Napi::Value CpuThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), cpu::threads());
}

// setCpuThreads(count: number): void
Napi::Value SetCpuThreads(const Napi::CallbackInfo& info) {
  const int count = info[0].ToNumber().Int32Value();
  if (count < 1) throw Error("ERR_OPTION", "threads: expected at least 1");
  cpu::set_threads(count);
  return info.Env().Undefined();
}

}  // namespace

void InitCpu(Napi::Env, Napi::Object exports) {
  export_function<CpuThreads>(exports, "cpuThreads");
  export_function<SetCpuThreads>(exports, "setCpuThreads");
}

}  // namespace culoss
