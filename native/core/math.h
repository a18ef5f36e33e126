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
__device__ inline float fast_log(float x) {
  float log2;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(log2) : "f"(x));
  return log2 * kLog2;
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
// polynomials have the least relative error of the logarithm: 2^−28 and 2^−27.5, of few digits
// 2^−19.7 and 2^−19.4.

// log(1 − q) + q + `more` of q in [0, ½].
template <Digits kDigits = Digits::all, class A>
HD inline A log1m_beyond(A q, A more) {
  if constexpr (kDigits == Digits::few) {
    constexpr float kCoefficients[] = {-0.967646062374115f,   0.6008871793746948f,
                                       -0.4997962713241577f,  -0.19433356821537018f,
                                       -0.33793774247169495f, -0.49987557530403137f};
    return multiply_add(q * q, polynomial(q, kCoefficients), more);
  } else {
    constexpr float kCoefficients[] = {
        -1.775638222694397f, 2.552626609802246f,  -2.0467488765716553f,
        0.633483409881592f,  -0.353357583284378f, -0.173292368650436f,
        -0.252161860466003f, -0.333245396614074f, -0.500001370906830f};
    return multiply_add(q * q, polynomial(q, kCoefficients), more);
  }
}
// log(1 − q) of q in [0, ½].
template <Digits kDigits = Digits::all, class A>
HD inline A log1m(A q) {
  if constexpr (std::is_same_v<A, double>) {
    return log1p(-q);
  } else {
    return log1m_beyond<kDigits>(q, -q);
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
        -0.003291074186563492f, 0.02008846029639244f,  -0.0574604831635952f,
        0.10661371052265167f,   -0.15344977378845215f, 0.1969212144613266f,
        -0.24958020448684692f,  0.33330464363098145f,  -0.4999993145465851f};
    return multiply_add(e * e, polynomial(e, kCoefficients), e);
  }
}

// p = 2^exponent (1 − rest) of a normal p > 0, with `rest` in (0, ½].
template <class A>
struct Reduced {
  A exponent;
  A rest;

  static Reduced of_normal(A p) {
    const Bits<A> bits = bits_of(p);
    const A mantissa = of_bits<A>((bits & 0x007fffffu) | 0x3f000000u);  // in [½, 1)
    const A biased = number_of<A>(std::bit_cast<typename LanesOf<A>::Int>(bits >> 23));
    return {biased - 126, 1 - mantissa};
  }
  // The same of a subnormal p, too.
  static Reduced of(A p) {
    constexpr float kSmallest = 0x1p-126f;
    const Mask<A> is_small = p < kSmallest;
    Reduced reduced = of_normal(select<A>(is_small, p * 0x1p24f, p));
    reduced.exponent = reduced.exponent - select<A>(is_small, all<A>(24), A{});
    return reduced;
  }
};

// log p, where q = 1 − p has the digits of a p near 1. `kIsNormal` says that both are normal
// numbers in [0, 1].
template <Digits kDigits, bool kIsNormal = false, class A>
HD inline A log_of(A p, A q) {
  Mask<A> is_likely = p >= all<A>(Scalar<A>(0.5));
  if constexpr (!kIsNormal) is_likely = is_likely & (p <= all<A>(1));
  if constexpr (std::is_same_v<A, double>) {
    return is_likely ? log1m(q) : log(p);
  } else {
#ifdef __CUDA_ARCH__
    const A of_unlikely = kIsNormal ? fast_log(p) : __logf(p);
    return is_likely ? log1m<kDigits>(q) : of_unlikely;
#else
    const Reduced<A> reduced = kIsNormal ? Reduced<A>::of_normal(p) : Reduced<A>::of(p);
    const A rest = select<A>(is_likely, q, reduced.rest);
    const A exponent = select<A>(is_likely, A{}, reduced.exponent);
    const A log_p = log1m_beyond<kDigits>(rest, multiply_add(exponent, all<A>(kLog2), -rest));
    if constexpr (kIsNormal) return log_p;
    const A of_no_number = select<A>(p > A{}, p, all<A>(NAN));  // log ∞ = ∞
    const A of_rest = select<A>(p == A{}, all<A>(-INFINITY), of_no_number);
    return select<A>((p > A{}) & (p < all<A>(INFINITY)), log_p, of_rest);
#endif
  }
}

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
    // Added to a number, rounds it to a whole one and leaves that in the last bits, as the biased
    // exponent of a power of 2 which is normal for all of them: 2^64 times too large.
    constexpr float kRound = 0x1.8p23f + 127 + 64;
    constexpr float kCoefficients[] = {0.0013814540579915047f, 0.00836874544620514f,
                                       0.04166838899254799f, 0.1666652113199234f,
                                       0.4999999403953552f};
    x = select<A>(x < all<A>(kLeast), all<A>(kLeast), x);  // NaN passes
    const A shifted = multiply_add(x, all<A>(0x1.715476p0f), all<A>(kRound));
    const A exponent = shifted - kRound;
    const A high = multiply_add(exponent, all<A>(-kLog2High), x);
    const A r = multiply_add(exponent, all<A>(-kLog2Low), high);  // in [−½, ½] · log 2
    const A slope = multiply_add(polynomial(r, kCoefficients), r, all<A>(1));
    return multiply_add(slope, r, all<A>(1)) * of_bits<A>(bits_of(shifted) << 23) * 0x1p-64f;
#endif
  }
}

// q^exponent of q ≥ 0 by logarithm and exponential in double, so that a float is right to half a
// unit of the last place.
template <class D>
inline D power_in_double(D q, double exponent) {
  constexpr double kLogOf2 = 0x1.62e42fefa39efp-1, kRound = 0x1.8p52, kRoot = 0x1.6a09e667f3bcdp-1;
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
  const D x = (whole * kLogOf2 + 2 * t * polynomial<D>(t * t, kArtanh)) * exponent;
  const D least = all<D>(-200), most = all<D>(200);  // beyond, a float is 0 or infinite
  const D bounded = smaller(most, larger(least, x));
  const D shifted = bounded * (1 / kLogOf2) + kRound;
  const D r = bounded - (shifted - kRound) * kLogOf2;
  return polynomial<D>(r, kExp) * of_bits<D>((bits_of(shifted) << 52) + bits_of(1.0));
}

// `f` of numbers as double, rounded.
template <class A, class F>
HD inline A in_double(const A& x, F&& f) {
  if constexpr (LanesOf<A>::kLanes == 1 || std::is_same_v<Scalar<A>, double>) {
    return A(f(double(x)));
  } else {
#ifndef __CUDACC__
    const auto [low, high] = to_doubles(x);
    return to_floats(f(low), f(high));
#endif
  }
}

// a − b, of which the digits are in a.
template <class A>
HD inline A difference(double a, const A& b) {
  return in_double(b, [&](const auto& number) { return a - number; });
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
    const A result =
        in_double(q, [&](const auto& number) { return power_in_double(number, exponent); });
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

// Numbers ≥ 0 from a first to a last one, told by their bits: one comparison, which NaN does not
// pass.
template <class A>
struct Interval {
  Bits<A> first;
  Bits<A> count;

  static Interval of(A first, A last) {
    return {bits_of(first), last < first ? 0 : bits_of(last) - bits_of(first) + 1};
  }
  // Below `count` for those of the interval.
  template <class V>
  HD Bits<V> index(V x) const {
    return bits_of(x) - first;
  }
};

}  // namespace culoss
