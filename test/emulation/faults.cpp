// Errors, on demand too, and what tests can see of the runtime.
//
// CULOSS_EMULATION_FAIL    the n-th call from now on that can fail does, and empties this
// CULOSS_EMULATION_CALLS   where it is set: the names of the calls since then are added here
// CULOSS_EMULATION_LIVE    set here: how many allocations, streams, pools, events, graphs there are
#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "runtime.h"

namespace emulation {
namespace {

cudaError_t last_error = cudaSuccess;

}  // namespace

std::recursive_mutex& lock() {
  static auto& mutex = *new std::recursive_mutex;
  return mutex;
}

void note(const char* call) {
  const Lock hold(lock());
  const char* const before = getenv("CULOSS_EMULATION_CALLS");
  if (before == nullptr) return;
  const std::string calls = std::string(before) + (*before ? " " : "") + call;
  setenv("CULOSS_EMULATION_CALLS", calls.c_str(), 1);
}

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

bool is_to_fail() {
  static std::string wanted;
  static int calls = 0;
  const char* const now = getenv("CULOSS_EMULATION_FAIL");
  if (now == nullptr || *now == 0) {
    wanted.clear();
    return false;
  }
  if (wanted != now) {
    wanted = now;
    calls = 0;
  }
  if (++calls != atoi(now)) return false;
  setenv("CULOSS_EMULATION_FAIL", "", 1);
  return true;
}

void add_live(int change) {
  static int live = 0;
  live += change;
  setenv("CULOSS_EMULATION_LIVE", std::to_string(live).c_str(), 1);
}

void fail(const char* why) {
  fprintf(stderr, "culoss emulation: %s\n", why);
  abort();
}

}  // namespace emulation

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorIllegalState:
      return "cudaErrorIllegalState";
  }
  return "cudaErrorUnknown";
}
const char* cudaGetErrorString(cudaError_t) { return "emulated"; }

cudaError_t cudaGetLastError() {
  const emulation::Lock hold(emulation::lock());
  return std::exchange(emulation::last_error, cudaSuccess);
}
