// Copies of tensors.
#pragma once

#include <stddef.h>

namespace culoss::cpu {

// On all threads, one piece each: long ones, of which `memcpy` knows that they go past the caches.
// Memory may overlap.
void copy(void* to, const void* from, size_t bytes);

}  // namespace culoss::cpu
