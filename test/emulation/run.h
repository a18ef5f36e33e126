// Runs one block of a kernel.
#pragma once

#include <functional>
#include <random>

#include "block.h"

namespace emulation {

// The block is that of `blockIdx`. Its threads run in ascending order between barriers, or in
// descending, or in a random one. False if some threads ended while others wait at a barrier.
bool run_block(const std::function<void()>& body, std::mt19937* shuffle, bool reverse);

}  // namespace emulation
