// The device's side: the threads of a block run as fibers, switched at barriers only, and the
// blocks of a cluster on threads of their own.
#pragma once

#include <stddef.h>

#include <algorithm>
#include <atomic>
#include <tuple>

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
// A block has a thread of the system to itself, one after the other or beside those of its cluster.
#define __shared__ thread_local

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace emulation {

// Waits for all threads of the block; returns the sum of what they brought.
int meet(int brought);

// Waits for those threads of the warp whose bits are set in `lanes`.
void meet_lanes(unsigned lanes);

// Room that the threads of the block have for what they hand to one another: `kRoom` bytes each.
constexpr size_t kRoom = 64;
unsigned char* room_of(unsigned thread);

}  // namespace emulation

// Of the thread that runs: one does at a time.
inline thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads() { emulation::meet(0); }
inline int __syncthreads_or(int value) { return emulation::meet(value != 0) != 0; }

inline void __threadfence() {}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
void __stcs(T* address, const T& value) {
  *address = value;
}

// Memory of 16 bytes.
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};

inline unsigned atomicInc(unsigned* address, unsigned limit) {
  std::atomic_ref<unsigned> value(*address);
  unsigned before = value;
  while (!value.compare_exchange_weak(before, before >= limit ? 0 : before + 1)) {
  }
  return before;
}
template <class T>
T atomicMin(T* address, T other) {
  std::atomic_ref<T> value(*address);
  T before = value;
  while (other < before && !value.compare_exchange_weak(before, other)) {
  }
  return before;
}
