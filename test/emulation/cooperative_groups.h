// What the engine uses of cooperative groups: the cluster of the block that runs.
#pragma once

#include "block.h"

namespace emulation {

struct ClusterOfBlock {
  unsigned rank;
  unsigned size;
  void (*wait)();               // for all blocks of the cluster
  unsigned char* const* homes;  // where each block has its shared memory
};
inline thread_local ClusterOfBlock cluster_of_block;

}  // namespace emulation

namespace cooperative_groups {

struct cluster_group {
  unsigned block_rank() const { return emulation::cluster_of_block.rank; }
  unsigned num_blocks() const { return emulation::cluster_of_block.size; }
  void sync() const {
    __syncthreads();
    if (threadIdx.x == 0) emulation::cluster_of_block.wait();
    __syncthreads();
  }
  template <class V>
  V* map_shared_rank(V* shared, int rank) const {
    const auto& [mine, size, wait, homes] = emulation::cluster_of_block;
    return reinterpret_cast<V*>(homes[rank] +
                                (reinterpret_cast<unsigned char*>(shared) - homes[mine]));
  }
};
inline cluster_group this_cluster() { return {}; }

}  // namespace cooperative_groups
