// What the engine uses of cooperative groups: the cluster of the block that runs.
#pragma once

#include <mutex>
#include <vector>

#include "block.h"

namespace emulation {

// What the blocks of a cluster know of one another.
struct Cluster {
  struct Member {
    unsigned char* home;   // where it has its shared memory
    bool is_read = false;  // by another, since all met last
    bool has_ended = false;
  };
  std::vector<Member> members;
  std::mutex lock;

  // Throws no error, as CUDA does not: says what is wrong, and ends the process.
  void read(unsigned rank);
  void end(unsigned rank);
};

struct ClusterOfBlock {
  unsigned rank;
  Cluster* cluster;
  void (*wait)();  // for all blocks of the cluster
};
inline thread_local ClusterOfBlock cluster_of_block;

}  // namespace emulation

namespace cooperative_groups {

struct cluster_group {
  unsigned block_rank() const { return emulation::cluster_of_block.rank; }
  unsigned num_blocks() const {
    return unsigned(emulation::cluster_of_block.cluster->members.size());
  }
  void sync() const {
    __syncthreads();
    if (threadIdx.x == 0) emulation::cluster_of_block.wait();
    __syncthreads();
  }
  template <class V>
  V* map_shared_rank(V* shared, int rank) const {
    const auto& [mine, cluster, wait] = emulation::cluster_of_block;
    if (unsigned(rank) != mine) cluster->read(rank);
    const auto offset = reinterpret_cast<unsigned char*>(shared) - cluster->members[mine].home;
    return reinterpret_cast<V*>(cluster->members[rank].home + offset);
  }
};
inline cluster_group this_cluster() { return {}; }

}  // namespace cooperative_groups
