// Runs one launch of a kernel.
#pragma once

#include <functional>
#include <random>

#include "cuda_runtime.h"

namespace emulation {

// The block is that of `blockIdx`. Its threads run in ascending order between barriers, or in
// descending, or in a random one. False if some threads ended while others wait at a barrier.
bool run_block(const std::function<void()>& body, std::mt19937* shuffle, bool reverse);

// All blocks of a launch, in the order of CULOSS_EMULATION_ORDER. False if one failed.
bool run_grid(const cudaLaunchConfig_t& config, unsigned cluster,
              const std::function<void()>& body);

// Blocks of a cluster of the launch.
unsigned cluster_of(const cudaLaunchConfig_t& config);

// Whether the calling thread's device can do a launch.
bool can_launch(const cudaLaunchConfig_t& config);

}  // namespace emulation
