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

// Σ termᵢ x^(n − 1 − i), pairs of neighbours first: a chain of log n steps.
template <class A, int n>
HD inline A sum_of_pairs(A x, const A (&terms)[n]) {
  if constexpr (n == 1) {
    return terms[0];
  } else {
    constexpr int kAlone = n % 2;
    A sums[kAlone + n / 2] = {terms[0]};
    for (int i = kAlone; i < n; i += 2) {
      sums[kAlone + i / 2] = multiply_add(terms[i], x, terms[i + 1]);
    }
    return sum_of_pairs(x * x, sums);
  }
}

// (…((c₀ x + c₁) x + c₂)…): on the host in pairs, because it would wait for each step of a chain.
template <class A, int n>
HD inline A polynomial(A x, const Scalar<A> (&coefficients)[n]) {
#ifdef __CUDA_ARCH__
  A sum = coefficients[0];
#pragma unroll
  for (int i = 1; i < n; ++i) sum = multiply_add(sum, x, coefficients[i]);
  return sum;
#else
  A terms[n];
  for (int i = 0; i < n; ++i) terms[i] = all<A>(coefficients[i]);
  return sum_of_pairs(x, terms);
#endif
}

// Logarithms of 1 − q and 1 + e are −q and e, where those are tiny, and with them come only terms
// of the second order, which are a product by the square. So nothing is lost near 1. The
// polynomials have the least relative error of the logarithm: 2^−25.3 and 2^−24.8, of few digits
// 2^−19.7 and 2^−19.4.

// −log(1 − q) − q + `more` of q in [0, ½].
template <Digits kDigits = Digits::all, class A>
HD inline A surprisal_beyond(A q, A more) {
  if constexpr (kDigits == Digits::few) {
    constexpr float kCoefficients[] = {0.967646062374115f,   -0.6008871793746948f,
                                       0.4997962713241577f,  0.19433356821537018f,
                                       0.33793774247169495f, 0.49987557530403137f};
    return multiply_add(q * q, polynomial(q, kCoefficients), more);
  } else {
    constexpr float kCoefficients[] = {
        1.4142881631851196f,  -1.6390440464019775f, 1.2082438468933105f,  -0.18073886632919312f,
        0.26363644003868103f, 0.24369031190872192f, 0.33363157510757446f, 0.49999523162841797f};
    return multiply_add(q * q, polynomial(q, kCoefficients), more);
  }
}
// −log(1 − q) of q in [0, ½].
template <Digits kDigits = Digits::all, class A>
HD inline A surprisal_beside(A q) {
  if constexpr (std::is_same_v<A, double>) {
    return -log1p(-q);
  } else {
    return surprisal_beyond<kDigits>(q, q);
  }
}

// log(1 + e) of e in [0, 1].
template <Digits kDigits = Digits::all, class A>
HD inline A log1p_of(A e) {
  if constexpr (std::is_same_v<A, double>) {
    return log1p(e);
  } else if constexpr (kDigits == Digits::few) {
    constexpr float kCoefficients[] = {0.01458800956606865f, -0.06785031408071518f,
                                       0.15102675557136536f, -0.23611299693584442f,
                                       0.3314041793346405f,  -0.4999074637889862f};
    return multiply_add(e * e, polynomial(e, kCoefficients), e);
  } else {
    constexpr float kCoefficients[] = {
        0.005365422461181879f, -0.030068300664424896f, 0.07920882850885391f, -0.13754187524318695f,
        0.1915384829044342f,   -0.24857217073440552f,  0.33321329951286316f, -0.49999648332595825f};
    return multiply_add(e * e, polynomial(e, kCoefficients), e);
  }
}

// p = 2^exponent (1 − rest) of a normal p > 0, with `rest` in (0, ½].
template <class A>
struct Reduced {
  A exponent;
  A rest;

  static Reduced of_normal(A p) { return of(bits_of(p)); }
  // Of p ≤ 1: of 1 as of the number below it, so that the exponent is 0 from ½ on.
  static Reduced of_likely(A p) { return of(smaller(bits_of(p), Bits<A>{} + 0x3f7fffffu)); }
  // Of a subnormal p, too.
  static Reduced of_any(A p) {
    constexpr float kSmallest = 0x1p-126f;
    const Mask<A> is_small = p < kSmallest;
    Reduced reduced = of(bits_of(select<A>(is_small, p * 0x1p24f, p)));
    reduced.exponent = reduced.exponent - select<A>(is_small, all<A>(24), A{});
    return reduced;
  }

 private:
  static Reduced of(Bits<A> bits) {
    const A mantissa = of_bits<A>((bits & 0x007fffffu) | 0x3f000000u);  // in [½, 1)
    const A biased = number_of<A>(std::bit_cast<typename LanesOf<A>::Int>(bits >> 23));
    return {biased - 126, 1 - mantissa};
  }
};

// −log p, where q = 1 − p has the digits of a p near 1. `kIsNormal` says that both are normal
// numbers in [0, 1].
template <Digits kDigits, bool kIsNormal = false, class A>
HD inline A surprisal_of(A p, A q) {
  Mask<A> is_likely = p >= all<A>(Scalar<A>(0.5));
  if constexpr (!kIsNormal) is_likely = is_likely & (p <= all<A>(1));
  if constexpr (std::is_same_v<A, double>) {
    return is_likely ? surprisal_beside(q) : -log(p);
  } else {
#ifdef __CUDA_ARCH__
    const A of_unlikely = kIsNormal ? fast_surprisal(p) : -__logf(p);
    return is_likely ? surprisal_beside<kDigits>(q) : of_unlikely;
#else
    const Reduced<A> reduced = kIsNormal ? Reduced<A>::of_likely(p) : Reduced<A>::of_any(p);
    const A rest = select<A>(is_likely, q, reduced.rest);
    const A exponent = kIsNormal ? reduced.exponent : select<A>(is_likely, A{}, reduced.exponent);
    const A surprisal =
        surprisal_beyond<kDigits>(rest, multiply_add(exponent, all<A>(-kLog2), rest));
    if constexpr (kIsNormal) return surprisal;
    const A of_no_number = select<A>(p > A{}, -p, all<A>(NAN));  // log ∞ = ∞
    const A of_rest = select<A>(p == A{}, all<A>(INFINITY), of_no_number);
    return select<A>((p > A{}) & (p < all<A>(INFINITY)), surprisal, of_rest);
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
    const Reduced<A> reduced = Reduced<A>::of_normal(x);
    const A exponent = reduced.exponent, rest = reduced.rest;
    const A surprisal = surprisal_beyond(rest, multiply_add(exponent, all<A>(-kLog2), rest));
    return select<A>(x < all<A>(INFINITY), -surprisal, x);
  }
#endif
}

// e^x of x ≤ 0, to 1.2 units of the last place; of few digits, to x · 2^−24, and 0 below 2^−126.
// `kIsNormal` says that x ≥ −87, so that it is a normal number.
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
    constexpr float kCoefficients[] = {0.0013814540579915047f, 0.00836874540620514f,
                                       0.04166838899254799f, 0.1666652113199234f,
                                       0.4999999403953552f};
    if constexpr (!kIsNormal) x = select<A>(x < all<A>(kLeast), all<A>(kLeast), x);  // NaN passes
    const A shifted = multiply_add(x, all<A>(0x1.715476p0f), all<A>(kRound));
    const A exponent = shifted - kRound;
    const A high = multiply_add(exponent, all<A>(-kLog2High), x);
    const A r = multiply_add(exponent, all<A>(-kLog2Low), high);  // in [−½, ½] · log 2
    const A slope = multiply_add(polynomial(r, kCoefficients), r, all<A>(1));
    const A mantissa = multiply_add(slope, r, all<A>(1));
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
