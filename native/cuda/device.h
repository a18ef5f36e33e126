// What the engine keeps for each device.
#pragma once

#include <cuda_runtime.h>

#include <memory>

#include "check.h"

namespace culoss::cuda {

struct Stream;

struct Device {
  explicit Device(int of) : index(of) {}

  int index;
  cudaMemPool_t pool = nullptr;
  std::shared_ptr<Stream> main;  // where everything goes that no other stream is asked for
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
  ~Current() {
    // An error here must not be taken for one of the next call.
    if (cudaSetDevice(previous_) != cudaSuccess) cudaGetLastError();
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  int previous_ = 0;
};

}  // namespace culoss::cuda
