#include "addon.h"

namespace culoss {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InitCriterion(env, exports);
  InitMemory(env, exports);
  InitForeign(env, exports);
  InitCast(env, exports);
  InitRows(env, exports);
  InitCpu(env, exports);
  InitCuda(env, exports);
  InitStream(env, exports);
  InitGraph(env, exports);
  return exports;
}

NODE_API_MODULE(culoss, Init)

}  // namespace culoss
