// What the engine keeps for each device.
#pragma once

#include <cuda_runtime.h>

#include "check.h"

namespace culoss::cuda {

// The first bad class id since the last read, on the device. `columns` is 0 while there is none.
struct TargetError {
  unsigned long long row;
  long long columns;
  double id;
};

struct Device {
  int index;
  cudaStream_t stream;
  TargetError* target_error;  // (1), device memory
};

// Made at the first use of the device, and never destroyed: no CUDA call runs at exit.
const Device& device(int index);

// Makes a device the calling thread's current one for a while.
class Current {
 public:
  explicit Current(int index) {
    check(cudaGetDevice(&previous_), "cudaGetDevice");
    check(cudaSetDevice(index), "cudaSetDevice");
  }
  ~Current() { cudaSetDevice(previous_); }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  int previous_ = 0;
};

// Stream-ordered memory for one call: free again for whatever is enqueued after it.
template <class T>
class Workspace {
 public:
  Workspace(const Device& device, int64_t count) : stream_(device.stream) {
    if (count > 0) check(cudaMallocAsync(&memory_, count * sizeof(T), stream_), "cudaMallocAsync");
  }
  ~Workspace() {
    if (memory_) cudaFreeAsync(memory_, stream_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* get() const { return memory_; }

 private:
  cudaStream_t stream_;
  T* memory_ = nullptr;
};

// Every kernel starts here.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Device& device, int64_t blocks,
            int threads, const Arguments&... arguments) {
  kernel<<<unsigned(blocks), threads, 0, device.stream>>>(arguments...);
  check(cudaGetLastError(), name);
}

}  // namespace culoss::cuda
