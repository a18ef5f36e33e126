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

constexpr float kLog2 = 0x1.62e43p-1f;     // log 2 to 2^−28
constexpr float kLog2High = 0x1.62e4p-1f;  // its products with whole numbers below 2^9 are exact
constexpr float kLog2Low = 0x1.7f7d1cp-20f;

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
// The same behind a first coefficient of 1.
template <class A, int n>
HD inline A monic_polynomial(A x, const Scalar<A> (&coefficients)[n]) {
  A sum = x + coefficients[0];
  for (int i = 1; i < n; ++i) sum = multiply_add(sum, x, all<A>(coefficients[i]));
  return sum;
}

// Logarithms of 1 − q and 1 + e are −q and e, where those are tiny, and what comes beyond is a
// product by the square, so that nothing is lost near 1. Its factors have the least relative error
// of the logarithm: on the host quotients, of 2^−25.3 and of few digits 2^−20.7; on a device, where
// a division takes longer than a polynomial, 2^−24.8 and 2^−19.4. What is rounded on the way adds
// less than 2^−23.

// Up to here it is `surprisal_beside` that has the digits: the domains of both end soon after.
constexpr float kMostBeside = 0.29f;

// −log(1 − q) of q in [1 − √2, 1 − √½]; on a device in [0, ½].
template <Digits kDigits = Digits::all, class A>
HD inline A surprisal_beside(A q) {
  constexpr bool kIsShort = kDigits == Digits::few;
  if constexpr (std::is_same_v<A, double>) {
    return -log1p(-q);
  } else {
#ifdef __CUDA_ARCH__
    constexpr float kFew[] = {0.967646062374115f,   -0.6008871793746948f, 0.4997962713241577f,
                              0.19433356821537018f, 0.33793774247169495f, 0.49987557530403137f};
    constexpr float kAll[] = {1.4142881631851196f,   -1.6390440464019775f, 1.2082438468933105f,
                              -0.18073886632919312f, 0.26363644003868103f, 0.24369031190872192f,
                              0.33363157510757446f,  0.49999523162841797f};
    return multiply_add(q * q, kIsShort ? polynomial(q, kFew) : polynomial(q, kAll), q);
#else
    if constexpr (kIsShort) {
      constexpr float kOver[] = {-0.89030045f, 1.6687651f}, kUnder[] = {-4.0056725f, 3.3375793f};
      return multiply_add(q * q, polynomial(q, kOver) / monic_polynomial(q, kUnder), q);
    } else {
      constexpr float kOver[] = {-8.393183f, 10.07177f};
      constexpr float kUnder[] = {-12.071766f, 30.215303f, -20.14354f};
      return multiply_add(-(q * q), monic_polynomial(q, kOver) / monic_polynomial(q, kUnder), q);
    }
#endif
  }
}

// log(1 + e) of e in [0, 1].
template <Digits kDigits = Digits::all, class A>
HD inline A log1p_of(A e) {
  constexpr bool kIsShort = kDigits == Digits::few;
  if constexpr (std::is_same_v<A, double>) {
    return log1p(e);
  } else {
#ifdef __CUDA_ARCH__
    constexpr float kFew[] = {0.01458800956606865f,  -0.06785031408071518f, 0.15102675557136536f,
                              -0.23611299693584442f, 0.3314041793346405f,   -0.4999074637889862f};
    constexpr float kAll[] = {0.005365422461181879f, -0.030068300664424896f, 0.07920882850885391f,
                              -0.13754187524318695f, 0.1915384829044342f,    -0.24857217073440552f,
                              0.33321329951286316f,  -0.49999648332595825f};
    return multiply_add(e * e, kIsShort ? polynomial(e, kFew) : polynomial(e, kAll), e);
#else
    if constexpr (kIsShort) {
      constexpr float kOver[] = {-0.9176053f, -2.120363f}, kUnder[] = {4.6594734f, 4.240948f};
      return multiply_add(e * e, polynomial(e, kOver) / monic_polynomial(e, kUnder), e);
    } else {
      constexpr float kOver[] = {11.209742f, 15.9477625f};
      constexpr float kUnder[] = {15.185161f, 43.68147f, 31.895613f};
      return multiply_add(-(e * e), monic_polynomial(e, kOver) / monic_polynomial(e, kUnder), e);
    }
#endif
  }
}

// x = 2^exponent · mantissa of a normal x > 0, with the mantissa in [√½, √2).
template <class A>
struct Reduced {
  Bits<A> exponent;  // in the bits in which a number has its own
  A mantissa;

  static Reduced of(A x) {
    const Bits<A> bits = bits_of(x), exponent = (bits - 0x3f3504f3u) & 0xff800000u;  // √½
    return {exponent, of_bits<A>(bits - exponent)};
  }
  Mask<A> has_no_exponent() const { return exponent == Bits<A>{}; }
  // −log 2^exponent + more.
  A surprisal_of_power(A more) const {
    const A scaled = number_of<A>(std::bit_cast<typename LanesOf<A>::Int>(exponent));
    return multiply_add(scaled, all<A>(-kLog2 * 0x1p-23f), more);
  }
};

// −log p, where q = 1 − p has the digits of a p near 1: from √½ on, on a device from ½. `kIsNormal`
// says that both are normal numbers in [0, 1].
template <Digits kDigits, bool kIsNormal = false, class A>
HD inline A surprisal_of(A p, A q) {
  if constexpr (std::is_same_v<A, double>) {
    return p >= 0.5 && p <= 1 ? surprisal_beside(q) : -log(p);
  } else {
#ifdef __CUDA_ARCH__
    const bool is_likely = p >= 0.5f && (kIsNormal || p <= 1);
    const A of_unlikely = kIsNormal ? fast_surprisal(p) : -__logf(p);
    return is_likely ? surprisal_beside<kDigits>(q) : of_unlikely;
#else
    const auto surprisal = [q](A x) {
      const auto reduced = Reduced<A>::of(x);
      const A rest = select<A>(reduced.has_no_exponent(), q, 1 - reduced.mantissa);
      return reduced.surprisal_of_power(surprisal_beside<kDigits>(rest));
    };
    if constexpr (kIsNormal) {
      return surprisal(p);
    } else {
      const Mask<A> is_small = p < 0x1p-126f;
      const A of_number = surprisal(select<A>(is_small, p * 0x1p24f, p)) +
                          select<A>(is_small, all<A>(24 * kLog2), A{});
      const A of_no_number = select<A>(p > A{}, -p, all<A>(NAN));  // log ∞ = ∞
      const A of_rest = select<A>(p == A{}, all<A>(INFINITY), of_no_number);
      return select<A>((p > A{}) & (p < all<A>(INFINITY)), of_number, of_rest);
    }
#endif
  }
}

// log x of x ≥ 1, of which few are infinite. NaN passes.
template <class A>
HD inline A log_of_total(A x) {
#ifdef __CUDA_ARCH__
  return log(x);
#else
  if constexpr (std::is_same_v<A, double>) {
    return log(x);
  } else {
    const auto reduced = Reduced<A>::of(x);
    const A surprisal = reduced.surprisal_of_power(surprisal_beside(1 - reduced.mantissa));
    return select<A>(x < all<A>(INFINITY), -surprisal, x);
  }
#endif
}

// e^x of x ≤ 0, to 1.2 units of the last place; on a device, of few digits, to x · 2^−24, and 0
// below 2^−126. `kIsNormal` says that x ≥ −87, so that it is a normal number.
template <Digits kDigits = Digits::all, bool kIsNormal = false, class A>
HD inline A exp_of_negative(A x) {
  if constexpr (std::is_same_v<A, double>) {
    return exp(x);
  } else {
#ifdef __CUDA_ARCH__
    return kDigits == Digits::few ? fast_exp2(x * 0x1.715476p0f) : expf(x);
#else
    constexpr float kLeast = -104;  // e^x is 0 from here on
    // Powers of 2 which are normal for all results: 2^64 times too large, if those are not.
    constexpr float kBias = kIsNormal ? 0 : 127 + 64;
    // Added to a number, rounds it to a whole one and leaves that in the last bits.
    constexpr float kRound = 0x1.8p23f + kBias;
    constexpr float kCoefficients[] = {0.0013814540579915047f,
                                       0.00836874540620514f,
                                       0.04166838899254799f,
                                       0.1666652113199234f,
                                       0.4999999403953552f,
                                       1.0f,
                                       1.0f};
    if constexpr (!kIsNormal) x = select<A>(x < all<A>(kLeast), all<A>(kLeast), x);  // NaN passes
    const A shifted = multiply_add(x, all<A>(0x1.715476p0f), all<A>(kRound));
    const A exponent = shifted - kRound;
    const A high = multiply_add(exponent, all<A>(-kLog2High), x);
    const A r = multiply_add(exponent, all<A>(-kLog2Low), high);  // in [−½, ½] · log 2
    const A mantissa = polynomial(r, kCoefficients);
    const Bits<A> scale = bits_of(shifted) << 23;
    if constexpr (kIsNormal) return of_bits<A>(bits_of(mantissa) + scale);
    return mantissa * of_bits<A>(scale) * 0x1p-64f;
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
