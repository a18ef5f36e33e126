// What the engine keeps for each device.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "check.h"

namespace culoss::cuda {

struct Stream;

// Bytes of shared memory of a block: more than kernels declare by themselves.
constexpr int64_t kDeclaredShared = 4 << 10;

// What the choice of kernels depends on.
struct Limits {
  int64_t shared_bytes = 0;  // most for a block
  int multiprocessors = 0;
  bool has_clusters = false;  // of blocks that read one another's shared memory
};

constexpr size_t kNoLimit = SIZE_MAX;

struct Device {
  explicit Device(int of) : index(of) {}

  int index;
  Limits limits;
  cudaMemPool_t pool = nullptr;
  mutable std::atomic<size_t> memory_limit{kNoLimit};  // bytes of the pool
  mutable std::mutex limited;         // one allocation at a time, where there is one
  cudaStream_t to_host = nullptr;     // of the thread that waits
  std::shared_ptr<Stream> to_device;  // for what waits for no other work
  std::shared_ptr<Stream> main;       // where everything goes that no other stream is asked for
};

// Freed memory stays in a pool, up to so many bytes, so that the next call need not ask the driver.
void keep_up_to(cudaMemPool_t pool, uint64_t bytes);

// Made at the first use of the device, and never destroyed: no CUDA call runs at exit.
const Device& device(int index);

// Makes a device the calling thread's current one for a while.
class Current {
 public:
  explicit Current(int index) {
    check(cudaGetDevice(&previous_), "cudaGetDevice");
    is_other_ = previous_ != index;
    if (is_other_) check(cudaSetDevice(index), "cudaSetDevice");
  }
  ~Current() {
    // An error here must not be taken for one of the next call.
    if (is_other_ && cudaSetDevice(previous_) != cudaSuccess) cudaGetLastError();
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  int previous_ = 0;
  bool is_other_ = false;
};

}  // namespace culoss::cuda
