// Functions that the formulas share. In float they are made of few instructions that every machine
// has, so that a loop over them vectorises and a kernel stays at the speed of memory.
#pragma once

#include <math.h>

#include "platform.h"

namespace culoss {

// −log(1 − q) / q of q in [0, ½], 1 at 0: what is left of the logarithm of a probability near 1
// once its small factor is taken out, so that nothing is lost where q is tiny.
//
// A polynomial with the least relative error, 2^−28; rounding included, 1.4 · 2^−24.
HD inline float log_ratio(float q) {
  constexpr float kNext[] = {-2.552626609802246f, 2.0467488765716553f, -0.633483409881592f,
                             0.353357583284378f,  0.173292368650436f,  0.252161860466003f,
                             0.333245396614074f,  0.500001370906830f,  1.0f};
  float ratio = 1.775638222694397f;
  for (const float coefficient : kNext) ratio = ratio * q + coefficient;
  return ratio;
}
HD inline double log_ratio(double q) { return q == 0 ? 1 : -log1p(-q) / q; }

// log p of p < ½, and of what is no probability; on the device to 3 units of the last place.
HD inline float log_of_small(float p) {
#ifdef __CUDA_ARCH__
  return __logf(p);
#else
  return logf(p);
#endif
}
HD inline double log_of_small(double p) { return log(p); }

// 1 / x of x in [2^−126, 2^126]; on the device to 1 unit of the last place.
HD inline float reciprocal(float x) {
#ifdef __CUDA_ARCH__
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));  // the only PTX there is
  return result;
#else
  return 1 / x;
#endif
}
HD inline double reciprocal(double x) { return 1 / x; }

// The larger of two numbers; NaN is none.
template <class V>
HD V larger(V a, V b) {
#ifdef __CUDA_ARCH__
  return max(a, b);
#else
  return b > a ? b : a;
#endif
}

}  // namespace culoss
