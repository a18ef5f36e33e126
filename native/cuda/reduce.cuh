// Sums in a fixed order. Each block leaves a partial in its place, and the block that comes last
// adds them up: a run repeats exactly, because no float is ever added atomically.
#pragma once

#include <algorithm>

#include "../core/dtype.h"
#include "division.cuh"
#include "launch.h"
#include "teams.cuh"

namespace culoss::cuda {

constexpr int kThreads = 256;

// Blocks of a launch: more would leave more partials than one block adds in no time. Fixed, so that
// the order of their sum does not depend on the device.
constexpr int64_t kMostBlocks = 1 << 12;

inline int64_t tiles_of(int64_t count, int64_t tile) { return (count + tile - 1) / tile; }

// Blocks for `count` items, several of them for a thread.
inline int64_t blocks_for_items(int64_t count) {
  return std::clamp<int64_t>(tiles_of(count, kThreads * 8), 1, kMostBlocks);
}

// Calls f(i) for this thread's share of [0, count): neighbours have neighbouring items.
template <class F>
__device__ void for_each_item(int64_t count, F&& f) {
  const int64_t stride = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) f(i);
}

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
__device__ void add_up(double value, const Sum<Out>& sum, const DivisionSource& source) {
  if (sum.result == nullptr) return;
  const double partial = Block<kBlock>::reduce(value, Plus{});
  if (threadIdx.x == 0) sum.partials[blockIdx.x] = partial;
  if (!is_last_block(sum.blocks_done)) return;
  double total = 0;
#pragma unroll 8
  for (unsigned i = threadIdx.x; i < gridDim.x; i += kBlock) total += __ldcg(sum.partials + i);
  total = Block<kBlock>::reduce(total, Plus{});
  if (threadIdx.x == 0) sum.result[0] = Out(source.read().of(total));
}

}  // namespace culoss::cuda
