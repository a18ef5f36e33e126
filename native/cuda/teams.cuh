// Threads that share a row.
#pragma once

#include <cub/block/block_reduce.cuh>
#include <cub/util_ptx.cuh>

#include "../core/math.h"
#include "cluster.cuh"
#include "device.h"

namespace culoss::cuda {

struct Plus {
  template <class V>
  __device__ V operator()(const V& a, const V& b) const {
    return a + b;
  }
};
struct Larger {
  template <class V>
  __device__ V operator()(V a, V b) const {
    return larger(a, b);
  }
};

// A team has `kSize` threads, of blocks of `kBlock`. `reduce` puts together what its threads bring,
// in a fixed order, and hands it to all of them; so does `across` with what the teams bring that
// have the parts of one row.

// The teams of a launch that have whole rows, several in a block or one.
template <int kBlockThreads, int kThreads>
struct WholeRows {
  static constexpr int kBlock = kBlockThreads;
  static constexpr int kSize = kThreads;
  static constexpr int kTeams = kBlock / kSize;  // of a block

  __device__ static int rank() { return threadIdx.x % kSize; }
  __device__ static int64_t index() { return int64_t(blockIdx.x) * kTeams + threadIdx.x / kSize; }
  __device__ static int64_t teams() { return int64_t(gridDim.x) * kTeams; }

  __device__ static unsigned part() { return 0; }
  __device__ static unsigned parts() { return 1; }
  template <class V>
  __device__ static V across(const V& value) {
    return value;
  }
};

// A block.
template <int kThreads>
struct Block : WholeRows<kThreads, kThreads> {
  static_assert(kThreads > 32);  // `reduce` relies on a barrier between warps

  template <class V, class Op>
  __device__ static V reduce(const V& value, Op op) {
    using Reduce = cub::BlockReduce<V, kThreads>;
    __shared__ typename Reduce::TempStorage storage;
    __shared__ cub::Uninitialized<V> total;
    const V sum = Reduce(storage).Reduce(value, op);
    if (threadIdx.x == 0) total.Alias() = sum;
    __syncthreads();  // the total is there
    // Before the next one, every thread has come into `Reduce` and so has read this one.
    return total.Alias();
  }
  __device__ static bool any(bool value) { return __syncthreads_or(value); }
};

// Part of a warp.
template <int kLanes>
struct Lanes : WholeRows<256, kLanes> {
  template <class V, class Op>
  __device__ static V reduce(const V& value, Op op) {
    V sum = value;
#pragma unroll
    for (int distance = 1; distance < kLanes;
         distance *= 2) {  // alike in all lanes: a + b is b + a
      sum = op(sum, cub::ShuffleIndex<kLanes>(sum, Lanes::rank() ^ distance, mask()));
    }
    return sum;
  }
  __device__ static bool any(bool value) { return reduce(int(value), Larger{}) != 0; }

 private:
  __device__ static unsigned mask() {
    constexpr unsigned kMask = ~0u >> (32 - kLanes);
    return kMask << threadIdx.x % 32 / kLanes * kLanes;
  }
};

// The blocks of a cluster share a row, and each holds a part of it: they exchange what they found
// through one another's shared memory. On devices of compute capability 9.0 or later.
template <int kThreads>
struct Cluster : Block<kThreads> {
  __device__ static int64_t index() { return blockIdx.x / cluster_size(); }
  __device__ static int64_t teams() { return gridDim.x / cluster_size(); }
  __device__ static unsigned part() { return cluster_rank(); }
  __device__ static unsigned parts() { return cluster_size(); }

  template <class V>
  __device__ static V across(const V& value) {
    __shared__ cub::Uninitialized<V> mine;
    if (threadIdx.x == 0) mine.Alias() = value;
    cluster_sync();  // every block's value is there
    V sum{};
    for (unsigned p = 0; p < cluster_size(); ++p) sum = sum + cluster_peer(&mine, p)->Alias();
    cluster_sync();  // every block has read it: it may be used again, or the block end
    return sum;
  }
};

}  // namespace culoss::cuda
