// The domains of the addon, one file each. binding.d.ts is their exact type.
#pragma once

#include <napi.h>

namespace culoss {

void InitCriterion(Napi::Env env, Napi::Object exports);
void InitMemory(Napi::Env env, Napi::Object exports);
void InitForeign(Napi::Env env, Napi::Object exports);
void InitCast(Napi::Env env, Napi::Object exports);
void InitRows(Napi::Env env, Napi::Object exports);
void InitCpu(Napi::Env env, Napi::Object exports);
void InitCuda(Napi::Env env, Napi::Object exports);
void InitStream(Napi::Env env, Napi::Object exports);
void InitGraph(Napi::Env env, Napi::Object exports);

}  // namespace culoss
