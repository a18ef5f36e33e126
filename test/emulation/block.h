// The device's side: the threads of a block run as fibers, switched at barriers only.
#pragma once

#include <tuple>

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
// One block runs at a time: what its threads share may stand still.
#define __shared__ static

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace emulation {

// Waits for all threads of the block; returns the sum of what they brought.
int meet(int brought);

}  // namespace emulation

// Of the thread that runs: one does at a time.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads() { emulation::meet(0); }
inline int __syncthreads_or(int value) { return emulation::meet(value != 0) != 0; }

inline void __threadfence() {}
template <class T>
T __ldcg(const T* address) {
  return *address;
}

// Threads are switched at barriers only, so that every read and write is atomic.
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  const unsigned before = *address;
  *address = before >= limit ? 0 : before + 1;
  return before;
}
template <class T>
T atomicMin(T* address, T value) {
  const T before = *address;
  if (value < before) *address = value;
  return before;
}
