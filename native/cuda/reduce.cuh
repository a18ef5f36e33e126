// Sums in a fixed order. Each block leaves a partial in its place, and the block that comes last
// adds them up: a run repeats exactly, because no float is ever added atomically.
#pragma once

#include <cub/block/block_reduce.cuh>

#include "../core/dtype.h"
#include "../losses/division.h"
#include "launch.h"

namespace culoss::cuda {

constexpr int kThreads = 256;

// Items of a block: eight for each thread, or one if they are large. Fixed, so that the order of
// the sums does not depend on the device.
constexpr int64_t kTile = kThreads * 8;
constexpr int64_t kSmallTile = kThreads;

inline int64_t tiles_of(int64_t count, int64_t tile = kTile) { return (count + tile - 1) / tile; }

// Calls f(i) for each i of this block's tile of [0, count): a thread has every kThreads-th one.
template <int64_t kItems = kTile, class F>
__device__ void for_each_of_tile(int64_t count, F&& f) {
  const int64_t first = int64_t(blockIdx.x) * kItems;
  const int64_t end = first + kItems < count ? first + kItems : count;
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

// Whether all other blocks of the launch have come here before this one. What they wrote before is
// there to read, past the first cache.
__device__ inline bool is_last_block(unsigned* blocks_done) {
  __shared__ bool is_last;
  __threadfence();  // what this thread wrote is seen before the count
  __syncthreads();
  // Wraps to 0 with the last block, for the next launch.
  if (threadIdx.x == 0) is_last = atomicInc(blocks_done, gridDim.x - 1) == gridDim.x - 1;
  __syncthreads();
  if (is_last) __threadfence();
  return is_last;
}

// Where the sum of a launch goes.
template <class Out>
struct Sum {
  double* partials;       // (blocks)
  unsigned* blocks_done;  // (1), 0 between launches
  Out* result;            // (1), or null where no sum is wanted
};

// sum.result[0] = Σ value / divisor over all threads of all blocks.
template <int kBlock, class Out>
__device__ void add_up(double value, const Sum<Out>& sum, const Division& division) {
  if (sum.result == nullptr) return;
  const double partial = sum_of_block<kBlock>(value);
  if (threadIdx.x == 0) sum.partials[blockIdx.x] = partial;
  if (!is_last_block(sum.blocks_done)) return;
  double total = 0;
  for (unsigned i = threadIdx.x; i < gridDim.x; i += kBlock) total += __ldcg(sum.partials + i);
  total = sum_of_block<kBlock>(total);
  if (threadIdx.x == 0) sum.result[0] = Out(division.of(total));
}

}  // namespace culoss::cuda
