// Powers of real exponents, and what else takes float64 to be right in float32.
#pragma once

#include <math.h>

#include "math.h"

namespace culoss {

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

}  // namespace culoss
