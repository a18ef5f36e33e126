// What the parts of the emulated runtime share.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda_runtime.h"

using Work = std::function<cudaError_t()>;

struct EmulatedGraph {
  std::vector<Work> nodes;
};

struct EmulatedStream {
  std::deque<Work> work;
  EmulatedGraph* captured = nullptr;  // what this stream is captured into
};

namespace emulation {

// One call at a time.
std::recursive_mutex& lock();
using Lock = std::lock_guard<std::recursive_mutex>;

// Writes the name of a call into CULOSS_EMULATION_CALLS, where a test has set that.
void note(const char* call);
// The error of a call, which cudaGetLastError gives once more.
cudaError_t remember(cudaError_t error);
// Whether this call is the one that CULOSS_EMULATION_FAIL counts down to.
bool is_to_fail();
// Counts what is there into CULOSS_EMULATION_LIVE.
void add_live(int change);
// Ends the process: the engine broke a rule that has no error.
[[noreturn]] void fail(const char* why);

// Gives a stream something to do, or a capture a node.
cudaError_t enqueue_work(cudaStream_t stream, Work work);
// Runs what a stream, or all, have been given so far, and what that waits for.
cudaError_t drain(cudaStream_t stream);
void drain_all();

// Memory beside the pools, with a guard on either side.
constexpr size_t kGuard = 64;
void poison(void* memory, size_t bytes);
void add_shared(void* memory, size_t bytes);
void remove_shared(void* memory);

// After every kernel: what lies around allocations, and what was freed, is as it was.
void check_memory();

}  // namespace emulation
