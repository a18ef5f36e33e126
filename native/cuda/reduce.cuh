// Sums in a fixed order. One partial per block, added by a last stage of one block: a run repeats
// exactly, because no float is ever added atomically.
#pragma once

#include <cub/block/block_reduce.cuh>

#include "../core/dtype.h"
#include "../losses/division.h"
#include "device.h"

namespace culoss::cuda {

constexpr int kThreads = 256;

// Elements of a block. Fixed, so that the order of the sums does not depend on the device.
constexpr int64_t kTile = kThreads * 8;

inline int64_t tiles_of(int64_t count) { return (count + kTile - 1) / kTile; }

// Calls f(i) for each i of this block's tile of [0, count): a thread has every kThreads-th one.
template <class F>
__device__ void for_each_of_tile(int64_t count, F&& f) {
  const int64_t first = int64_t(blockIdx.x) * kTile;
  const int64_t end = first + kTile < count ? first + kTile : count;
  for (int64_t i = first + threadIdx.x; i < end; i += kThreads) f(i);
}

// The sum of `value` over a block of `kBlock` threads, handed to all of them.
template <int kBlock, class V>
__device__ V sum_of_block(const V& value) {
  using Reduce = cub::BlockReduce<V, kBlock>;
  __shared__ typename Reduce::TempStorage storage;
  __shared__ cub::Uninitialized<V> total;
  const V sum = Reduce(storage).Reduce(value, [](const V& a, const V& b) { return a + b; });
  if (threadIdx.x == 0) total.Alias() = sum;
  __syncthreads();  // the total is there
  const V result = total.Alias();
  __syncthreads();  // everyone has read it: storage and total may be used again
  return result;
}

// A divisor that is known when the kernel is launched, or is on the device before it runs.
struct DivisionSource {
  Division known;
  ConstArray divisor;  // (1), or none
  double least;

  __device__ Division read() const {
    if (divisor.memory == nullptr) return known;
    const double found = load<double>(divisor, 0);
    return {found < least ? least : found, known.value_of_empty};
  }
};

// Leaves the sum of `value` over this block for the last stage, if there is one.
template <int kBlock>
__device__ void write_partial(double value, double* partials) {
  if (partials == nullptr) return;
  const double sum = sum_of_block<kBlock>(value);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// result[0] = Σ partials / divisor, by one block.
template <class Out>
__global__ void __launch_bounds__(kThreads)
    sum_partials(const double* partials, int64_t count, DivisionSource division, Out* result) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) sum += partials[i];
  sum = sum_of_block<kThreads>(sum);
  if (threadIdx.x == 0) result[0] = Out(division.read().of(sum));
}

}  // namespace culoss::cuda
