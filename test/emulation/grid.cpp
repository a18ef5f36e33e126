// The blocks of a launch, in an order that can be chosen.
//
// CULOSS_EMULATION_ORDER   of threads and blocks: forward (default), reverse, or a seed
#include <stdlib.h>
#include <string.h>

#include <barrier>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../../native/core/pack.h"
#include "cooperative_groups.h"
#include "run.h"
#include "runtime.h"

namespace culoss::cuda {

thread_local Pack<float> dynamic_shared_memory[2048];

}  // namespace culoss::cuda

namespace emulation {
namespace {

using culoss::cuda::dynamic_shared_memory;

thread_local std::function<void()> meet_cluster;

struct Order {
  bool reverse = false;
  std::optional<std::mt19937> random;

  static Order chosen() {
    const char* wanted = getenv("CULOSS_EMULATION_ORDER");
    const std::string order = wanted ? wanted : "forward";
    if (order == "forward") return {};
    if (order == "reverse") return {true, {}};
    return {false, std::mt19937(unsigned(atoi(order.c_str())))};
  }

  // Of the next launch of a block, on a thread of its own.
  Order next() {
    return {reverse, random ? std::optional(std::mt19937((*random)())) : std::nullopt};
  }
};

bool run_one(const cudaLaunchConfig_t& config, const std::function<void()>& body, unsigned block,
             Order order) {
  blockIdx = block;
  blockDim = config.blockDim;
  gridDim = config.gridDim;
  memset(static_cast<void*>(dynamic_shared_memory), 0xff, sizeof dynamic_shared_memory);
  return run_block(body, order.random ? &*order.random : nullptr, order.reverse);
}

// The blocks of one cluster, side by side.
bool run_cluster(const cudaLaunchConfig_t& config, const std::function<void()>& body,
                 unsigned first, unsigned size, Order& order) {
  Cluster cluster;
  cluster.members.resize(size);
  std::barrier all(size, [&]() noexcept {
    for (Cluster::Member& member : cluster.members) member.is_read = false;
  });
  std::vector<char> are_right(size);
  std::vector<std::thread> threads;
  for (unsigned rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank, mine = order.next()] {
      meet_cluster = [&all] { all.arrive_and_wait(); };
      // What is shared is local to the thread, and lies alike in each of them.
      cluster.members[rank].home = reinterpret_cast<unsigned char*>(dynamic_shared_memory);
      cluster_of_block = {rank, &cluster, [] { meet_cluster(); }};
      meet_cluster();  // all homes are known
      are_right[rank] = run_one(config, body, first + rank, mine);
      cluster.end(rank);
      all.arrive_and_drop();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return std::count(are_right.begin(), are_right.end(), true) == size;
}

}  // namespace

void Cluster::read(unsigned rank) {
  const std::lock_guard<std::mutex> hold(lock);
  if (members[rank].has_ended) fail("a block reads the shared memory of one that has ended");
  members[rank].is_read = true;
}
void Cluster::end(unsigned rank) {
  const std::lock_guard<std::mutex> hold(lock);
  if (members[rank].is_read) fail("a block ends while its shared memory is read");
  members[rank].has_ended = true;
}

unsigned cluster_of(const cudaLaunchConfig_t& config) {
  return config.numAttrs > 0 ? config.attrs[0].val.clusterDim.x : 1;
}

bool run_grid(const cudaLaunchConfig_t& config, unsigned cluster,
              const std::function<void()>& body) {
  Order order = Order::chosen();
  std::vector<unsigned> firsts(config.gridDim.x / cluster);
  for (unsigned i = 0; i < firsts.size(); ++i) firsts[i] = i * cluster;
  if (order.reverse) std::reverse(firsts.begin(), firsts.end());
  if (order.random) std::shuffle(firsts.begin(), firsts.end(), *order.random);
  for (const unsigned first : firsts) {
    const bool is_right = cluster == 1 ? run_one(config, body, first, order.next())
                                       : run_cluster(config, body, first, cluster, order);
    if (!is_right) return false;
  }
  return true;
}

}  // namespace emulation
