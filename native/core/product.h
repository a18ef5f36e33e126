// A product that is rounded before it is used, never fused into a following addition.
#pragma once

#include <type_traits>

#include "platform.h"

namespace culoss {

template <class A>
HD A product(A a, A b) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<A, double>) {
    return __dmul_rn(a, b);
  } else {
    return __fmul_rn(a, b);
  }
#else
  return a * b;  // `-ffp-contract=off` sees to it
#endif
}

}  // namespace culoss
