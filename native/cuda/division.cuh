// What a kernel divides by.
#pragma once

#include <cuda_runtime.h>

#include "../core/dtype.h"
#include "../losses/division.h"

namespace culoss::cuda {

// A divisor that is known when the kernel is launched, or is on the device before it runs.
struct DivisionSource {
  Division known;
  ConstArray divisor;  // (1), or none
  double least;

  __device__ Division read() const {
    if (divisor.memory == nullptr) return known;
    const double found = load<double>(divisor, 0);
    return {found < least ? least : found, known.value_of_empty};
  }
};

}  // namespace culoss::cuda
