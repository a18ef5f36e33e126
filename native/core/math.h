// Functions that the formulas share. In float they are made of few instructions that every machine
// has, without a branch, so that they hold for a vector, too, and a kernel stays at the speed of
// memory. The host adds and multiplies in the order written: the same bits for every instruction
// set.
#pragma once

#include <math.h>

#include <array>
#include <limits>

#include "lanes.h"

namespace culoss {

// How many digits of a function are asked for: all that its type has, or as many as make up for
// inputs and gradients of 16 bits.
enum class Digits { all, few };

// The larger and the smaller of two numbers; b is none if it is NaN.
template <class V>
HD V larger(V a, V b) {
#ifdef __CUDA_ARCH__
  return max(a, b);
#else
  return b > a ? b : a;
#endif
}
template <class V>
HD V smaller(V a, V b) {
#ifdef __CUDA_ARCH__
  return min(a, b);
#else
  return b < a ? b : a;
#endif
}

template <class A>
HD A magnitude(A x) {
  if constexpr (LanesOf<A>::kLanes == 1) {
    return fabs(x);
  } else {
    return of_bits<A>(bits_of(x) & (~Bits<A>{} >> 1));
  }
}

#ifdef __CUDA_ARCH__
// What a multiprocessor has a unit for, of normal numbers: others are taken for 0. The only PTX
// there is, because the functions of CUDA have instructions for the others.
__device__ inline float fast_exp2(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
__device__ inline float fast_log(float x) {
  float log2;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(log2) : "f"(x));
  return log2 * 0x1.62e43p-1f;
}
__device__ inline float fast_reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
#endif

// (…((c₀ x + c₁) x + c₂)…)
template <class A, int n>
HD inline A polynomial(A x, const Scalar<A> (&coefficients)[n]) {
  A sum = all<A>(coefficients[0]);
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int i = 1; i < n; ++i) sum = multiply_add(sum, x, all<A>(coefficients[i]));
  return sum;
}

// −log(1 − q) / q of q in [0, ½], 1 at 0: what is left of the logarithm of a probability near 1
// once its small factor is taken out, so that nothing is lost where q is tiny.
//
// A polynomial with the least relative error, 2^−28; rounding included, 1.4 · 2^−24. Of few digits,
// 2^−19.7.
template <Digits kDigits = Digits::all, class A>
HD inline A log_ratio(A q) {
  if constexpr (std::is_same_v<A, double>) {
    return q == 0 ? 1 : -log1p(-q) / q;
  } else if constexpr (kDigits == Digits::few) {
    constexpr float kCoefficients[] = {0.967646062374115f,
                                       -0.6008871793746948f,
                                       0.4997962713241577f,
                                       0.19433356821537018f,
                                       0.33793774247169495f,
                                       0.49987557530403137f,
                                       1.0f};
    return polynomial(q, kCoefficients);
  } else {
    constexpr float kCoefficients[] = {1.775638222694397f,  -2.552626609802246f,
                                       2.0467488765716553f, -0.633483409881592f,
                                       0.353357583284378f,  0.173292368650436f,
                                       0.252161860466003f,  0.333245396614074f,
                                       0.500001370906830f,  1.0f};
    return polynomial(q, kCoefficients);
  }
}

constexpr float kLog2High = 0x1.62e4p-1f;  // its products with whole numbers below 2^9 are exact
constexpr float kLog2Low = 0x1.7f7d1cp-20f;

// p = 2^exponent (1 − rest) of a normal or subnormal p > 0, with `rest` in (0, ½].
template <class A>
struct Reduced {
  A exponent;
  A rest;

  static Reduced of(A p) {
    constexpr float kSmallest = 0x1p-126f, kUp = 0x1p24f;  // makes subnormals normal
    const Mask<A> is_small = p < kSmallest;
    const Bits<A> bits = bits_of(select<A>(is_small, p * kUp, p));
    const A mantissa = of_bits<A>((bits & 0x007fffffu) | 0x3f000000u);  // in [½, 1)
    const A biased = number_of<A>(std::bit_cast<typename LanesOf<A>::Int>(bits >> 23));
    return {biased - select<A>(is_small, all<A>(126 + 24), all<A>(126)), 1 - mantissa};
  }
};

// log p, and −log p / (1 − p) where p is ½ or more.
template <class A>
struct Logarithm {
  A log_p;
  A ratio;

  // q = 1 − p; `kIsNormal` says that both are normal numbers.
  template <Digits kDigits, bool kIsNormal = false>
  static HD Logarithm of(A p, A q) {
    Mask<A> is_likely = p >= all<A>(Scalar<A>(0.5));
    if constexpr (!kIsNormal) is_likely = is_likely & (p <= all<A>(1));
    if constexpr (std::is_same_v<A, double>) {
      const A ratio = log_ratio(q);
      return {is_likely ? -(q * ratio) : log(p), ratio};
    } else {
#ifdef __CUDA_ARCH__
      const A ratio = log_ratio<kDigits>(q);
      return {is_likely ? -(q * ratio) : kIsNormal ? fast_log(p) : __logf(p), ratio};
#else
      const Reduced<A> reduced = Reduced<A>::of(p);
      const A rest = select<A>(is_likely, q, reduced.rest);
      const A exponent = select<A>(is_likely, A{}, reduced.exponent);
      const A ratio = log_ratio<kDigits>(rest);
      const A low = multiply_add(exponent, all<A>(kLog2Low), -(rest * ratio));
      const A log_p = multiply_add(exponent, all<A>(kLog2High), low);
      const A of_no_number = select<A>(p > A{}, p, all<A>(NAN));  // log ∞ = ∞
      const A of_rest = select<A>(p == A{}, all<A>(-INFINITY), of_no_number);
      return {select<A>((p > A{}) & (p < all<A>(INFINITY)), log_p, of_rest), ratio};
#endif
    }
  }
};

// e^x of x ≤ 0, to 1.2 units of the last place; of few digits, to x · 2^−24, and 0 below 2^−126.
template <Digits kDigits = Digits::all, class A>
HD inline A exp_of_negative(A x) {
  if constexpr (std::is_same_v<A, double>) {
    return exp(x);
  } else {
#ifdef __CUDA_ARCH__
    return kDigits == Digits::few ? fast_exp2(x * 0x1.715476p0f) : expf(x);
#else
    constexpr float kLeast = -104;  // e^x is 0 from here on
    constexpr float kRound = 0x1.8p23f;
    constexpr float kCoefficients[] = {0.0013814540579915047f,
                                       0.00836874544620514f,
                                       0.04166838899254799f,
                                       0.1666652113199234f,
                                       0.4999999403953552f,
                                       1.0f,
                                       1.0f};
    x = select<A>(x < all<A>(kLeast), all<A>(kLeast), x);  // NaN passes
    const A shifted = multiply_add(x, all<A>(0x1.715476p0f), all<A>(kRound));
    const A exponent = shifted - kRound;
    const A high = multiply_add(exponent, all<A>(-kLog2High), x);
    const A r = multiply_add(exponent, all<A>(-kLog2Low), high);  // in [−½, ½] · log 2
    // 2^exponent in two steps, of which the first is normal: the result is rounded once.
    const auto whole = std::bit_cast<typename LanesOf<A>::Int>(bits_of(shifted) - bits_of(kRound));
    const auto half = whole >> 1;
    const auto two_to = [](const auto& n) {
      return of_bits<A>(std::bit_cast<Bits<A> >(n + 127) << 23);
    };
    return polynomial(r, kCoefficients) * two_to(half) * two_to(whole - half);
#endif
  }
}

// q^exponent of q ≥ 0 by logarithm and exponential in double, so that a float is right to half a
// unit of the last place.
template <class D>
inline D power_in_double(D q, double exponent) {
  constexpr double kLog2 = 0x1.62e42fefa39efp-1, kRound = 0x1.8p52, kRoot = 0x1.6a09e667f3bcdp-1;
  constexpr double kArtanh[] = {1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9,
                                1. / 7,  1. / 5,  1. / 3,  1.};
  constexpr double kExp[] = {1. / 362880, 1. / 40320, 1. / 5040, 1. / 720, 1. / 120,
                             1. / 24,     1. / 6,     1. / 2,    1.,       1.};
  // q = 2^whole · m with m in [√½, √2), and log m = 2 artanh t with t = (m − 1) / (m + 1).
  const Bits<D> bits = bits_of(q) - bits_of(kRoot);
  const D m = of_bits<D>((bits & 0x000fffffffffffffu) + bits_of(kRoot));
  const D biased = of_bits<D>((bits >> 52) | bits_of(0x1p52)) - 0x1p52;
  const D whole = select<D>(biased > all<D>(1023), biased - 4096, biased);
  const D t = (m - 1) / (m + 1);
  const D x = (whole * kLog2 + 2 * t * polynomial<D>(t * t, kArtanh)) * exponent;
  const D least = all<D>(-200), most = all<D>(200);  // beyond, a float is 0 or infinite
  const D bounded = smaller(most, larger(least, x));
  const D shifted = bounded * (1 / kLog2) + kRound;
  const D r = bounded - (shifted - kRound) * kLog2;
  return polynomial<D>(r, kExp) * of_bits<D>((bits_of(shifted) << 52) + bits_of(1.0));
}

// q^exponent of q ≥ 0.
template <class A>
HD inline A power(A q, Scalar<A> exponent) {
  if constexpr (std::is_same_v<A, double>) {
    return pow(q, exponent);
  } else {
#ifdef __CUDA_ARCH__
    return powf(q, exponent);
#else
    A result;
    if constexpr (LanesOf<A>::kLanes == 1) {
      result = A(power_in_double(double(q), exponent));
    } else {
#ifndef __CUDACC__
      auto halves = std::bit_cast<std::array<HalfOfFloats, 2> >(q);
      for (HalfOfFloats& half : halves) {
        const Doubles power = power_in_double(__builtin_convertvector(half, Doubles), exponent);
        half = __builtin_convertvector(power, HalfOfFloats);
      }
      result = std::bit_cast<A>(halves);
#endif
    }
    return select<A>(q > A{}, result, select<A>(q == A{}, A{}, all<A>(NAN)));
#endif
  }
}

// 1 / x of x in [2^−126, 2^126]; on the device to 1 unit of the last place.
template <class A>
HD inline A reciprocal(A x) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<A, float>) return fast_reciprocal(x);
#endif
  return 1 / x;
}

}  // namespace culoss
