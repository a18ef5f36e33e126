// The threads and the instruction set of the CPU engine.
#include "../cpu/isa.h"
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

// limitCpuThreads(count: number): void
Napi::Value LimitCpuThreads(const Napi::CallbackInfo& info) {
  const double count = info[0].ToNumber().DoubleValue();
  if (!(count >= 1)) throw Error("ERR_OPTION", "threads: expected at least 1");
  if (count < INT32_MAX) cpu::limit_threads(int(count));
  return info.Env().Undefined();
}

// cpuIsas(): string[]
Napi::Value CpuIsas(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const cpu::InstructionSet& one : cpu::instruction_sets()) {
    names[names.Length()] = Napi::String::New(info.Env(), one.name);
  }
  return names;
}

// cpuIsa(): string
Napi::Value CpuIsa(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), cpu::instruction_set().name);
}

// setCpuIsa(name: string): void
Napi::Value SetCpuIsa(const Napi::CallbackInfo& info) {
  cpu::set_instruction_set(info[0].ToString().Utf8Value());
  return info.Env().Undefined();
}

}  // namespace

void InitCpu(Napi::Env, Napi::Object exports) {
  export_function<CpuThreads>(exports, "cpuThreads");
  export_function<SetCpuThreads>(exports, "setCpuThreads");
  export_function<LimitCpuThreads>(exports, "limitCpuThreads");
  export_function<CpuIsas>(exports, "cpuIsas");
  export_function<CpuIsa>(exports, "cpuIsa");
  export_function<SetCpuIsa>(exports, "setCpuIsa");
}

}  // namespace culoss
