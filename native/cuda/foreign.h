// Memory that is not of the pool.
#pragma once

#include "stream.h"

namespace culoss::cuda {

// Throws unless so many bytes from an address on are of one allocation of the device.
void expect_memory_of(int device, const void* address, size_t bytes);

}  // namespace culoss::cuda
