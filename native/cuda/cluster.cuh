// The blocks of a cluster, of this thread's. Code for architectures without clusters is never
// asked.
#pragma once

#include <cooperative_groups.h>
#include <cuda_runtime.h>

namespace culoss::cuda {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900

__device__ inline unsigned cluster_rank() {
  return cooperative_groups::this_cluster().block_rank();
}
__device__ inline unsigned cluster_size() {
  return cooperative_groups::this_cluster().num_blocks();
}
__device__ inline void cluster_sync() { cooperative_groups::this_cluster().sync(); }
// The same shared variable, of block `rank`.
template <class V>
__device__ V* cluster_peer(V* shared, unsigned rank) {
  return cooperative_groups::this_cluster().map_shared_rank(shared, rank);
}

#else

__device__ inline unsigned cluster_rank() { return 0; }
__device__ inline unsigned cluster_size() { return 1; }
__device__ inline void cluster_sync() {}
template <class V>
__device__ V* cluster_peer(V* shared, unsigned) {
  return shared;
}

#endif

}  // namespace culoss::cuda
