// Functions that the formulas share. In float they are made of few instructions that every machine
// has, without a branch, so that they hold for a vector, too, and a kernel stays at the speed of
// memory. The host adds and multiplies in the order written: the same bits for every instruction
// set that rounds a b + c once.
#pragma once

#include <math.h>

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

constexpr float kLog2 = 0x1.62e43p-1f;  // log 2 to 2^−28

#ifdef __CUDA_ARCH__
// What a multiprocessor has a unit for, of normal numbers: others are taken for 0. The only PTX
// there is, because the functions of CUDA have instructions for the others.
__device__ inline float fast_exp2(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
__device__ inline float fast_surprisal(float p) {
  float log2;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(log2) : "f"(p));
  return log2 * -kLog2;
}
__device__ inline float fast_reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
#endif

// (…((c₀ x + c₁) x + c₂)…).
template <class A, int n>
HD inline A polynomial(A x, const Scalar<A> (&coefficients)[n]) {
  A sum = all<A>(coefficients[0]);
  for (int i = 1; i < n; ++i) sum = multiply_add(sum, x, all<A>(coefficients[i]));
  return sum;
}

// 2^(j/8), whose bits are j · 2^20 too few: so much is added with those of a whole exponent.
alignas(32) constexpr float kRootsOf2[8] = {0x1p+0f,        0x1.f72b84p-1f, 0x1.f06fep-1f,
                                            0x1.ebfdaep-1f, 0x1.ea09e6p-1f, 0x1.eace54p-1f,
                                            0x1.ee89fap-1f, 0x1.f5818ep-1f};

// e^x of x ≤ `kMostExponent`, on a device of x ≤ 0: to 1.2 units of the last place; on a device, of
// few digits, to x · 2^−24, and 0 below 2^−126. `kIsNormal` says that x ≥ −87, so that it is a
// normal number.
constexpr float kMostExponent = 64;
template <Digits kDigits = Digits::all, bool kIsNormal = false, class A>
HD inline A exponential(A x) {
  if constexpr (std::is_same_v<A, double>) {
    return exp(x);
  } else {
#ifdef __CUDA_ARCH__
    return kDigits == Digits::few ? fast_exp2(x * 0x1.715476p0f) : expf(x);
#else
    constexpr float kLeast = -104;  // e^x is 0 from here on
    // Powers of 2 which are normal for all results: 2^32 times too large, if those are not.
    constexpr float kBias = kIsNormal ? 0 : 32;
    // Added to a number, rounds it to a whole one and leaves that in the last bits.
    constexpr float kRound = 0x1.8p23f + 8 * kBias;
    // Of log 2 / 8, together; products of the first one with whole numbers below 2^11 are exact.
    constexpr float kHigh = 0x1.62ep-4f, kLow = 0x1.0bfbe8p-18f;
    if constexpr (!kIsNormal) x = select<A>(x < all<A>(kLeast), all<A>(kLeast), x);  // NaN passes
    const A shifted = multiply_add(x, all<A>(0x1.715476p3f), all<A>(kRound));
    const A eighths = shifted - kRound;
    const A high = multiply_add(eighths, all<A>(-kHigh), x);
    const A r = multiply_add(eighths, all<A>(-kLow), high);  // in [−½, ½] · log 2 / 8
    constexpr float kFactor[] = {0x1.555656p-3f, 0x1.000876p-1f};
    const A beyond_one = multiply_add(r * r, polynomial(r, kFactor), r);
    const Bits<A> root = bits_of(entries_of<A>(kRootsOf2, bits_of(shifted)));
    const A power = of_bits<A>(root + (bits_of(shifted) << 20));
    const A result = multiply_add(power, beyond_one, power);
    return kIsNormal ? result : result * 0x1p-32f;
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
