// The blocks of a launch, in an order that can be chosen.
//
// CULOSS_EMULATION_ORDER   of threads and blocks: forward (default), reverse, or a seed
#include <stdlib.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "run.h"

namespace emulation {

bool run_grid(const cudaLaunchConfig_t& config, const std::function<void()>& body) {
  const char* wanted = getenv("CULOSS_EMULATION_ORDER");
  const std::string order = wanted ? wanted : "forward";
  const bool reverse = order == "reverse";
  std::optional<std::mt19937> random;
  if (!reverse && order != "forward") random.emplace(unsigned(atoi(order.c_str())));
  std::vector<unsigned> ids(config.gridDim.x);
  std::iota(ids.begin(), ids.end(), 0u);
  if (reverse) std::reverse(ids.begin(), ids.end());
  if (random) std::shuffle(ids.begin(), ids.end(), *random);
  for (const unsigned id : ids) {
    blockIdx = id;
    blockDim = config.blockDim;
    gridDim = config.gridDim;
    if (!run_block(body, random ? &*random : nullptr, reverse)) return false;
  }
  return true;
}

}  // namespace emulation
