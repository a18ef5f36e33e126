// A product that is rounded before it is used, never fused into a following addition.
#pragma once

#include "platform.h"

namespace culoss {

// On the host `-ffp-contract=off` sees to it for every product.
HD inline float product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

HD inline double product(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

}  // namespace culoss
