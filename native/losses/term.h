// Terms: the loss of one outcome, from the probability p that the model gave to it.
#pragma once

#include <math.h>

#include <limits>

#include "../core/power.h"

namespace culoss {

// The probability of an outcome with its parts, each exact by itself: at p → 1 the digits are in
// q, at p → 0 in the surprisal, and neither can be had from p without losing them. `kIsFinite` says
// that the surprisal is.
template <class A, bool kIsFinite = false>
struct Outcome {
  A surprisal;  // −log p
  A p;
  A q;  // 1 − p

  // −p log p: 0 at p = 0 and at p = 1.
  HD A entropy() const {
    if constexpr (kIsFinite) return p * surprisal;
    constexpr Scalar<A> kLargest = std::numeric_limits<Scalar<A>>::max();  // not 0 · ∞
    return p * smaller(surprisal, all<A>(kLargest));
  }
};

template <class A>
struct Dual {
  A value;
  A slope;  // d value / d surprisal
};

// −log p.
struct CrossEntropy {
  static constexpr bool kIsCheap = true;

  template <class A, bool kIsFinite>
  HD Dual<A> operator()(const Outcome<A, kIsFinite>& outcome) const {
    return {outcome.surprisal, all<A>(1)};
  }
};

// q^γ of γ = 2, which is what most use. `slope` is d (q^γ surprisal) / d surprisal, and that is
// q^γ + γ q^(γ − 1) (−p log p).
struct Square {
  static constexpr bool kIsCheap = true;

  template <class V>
  HD V operator()(V q) const {
    return q * q;
  }
  template <class V, bool kIsFinite>
  HD V slope(const Outcome<V, kIsFinite>& outcome, V) const {
    return outcome.q * multiply_add(all<V>(2), outcome.entropy(), outcome.q);
  }
};

// q^γ of any γ ≥ 0. For γ < 1, q^(γ − 1) is infinite at q = 0; but −log p / q is 1 there.
template <class A>
struct RealPower {
  static constexpr bool kIsCheap = false;

  A exponent;

  template <class V>
  HD V operator()(V q) const {
    if (exponent == 0) return all<V>(1);
    if (exponent == 1) return q;
    if (exponent == 2) return q * q;
    return power(q, exponent);
  }
  template <class V, bool kIsFinite>
  HD V slope(const Outcome<V, kIsFinite>& outcome, V power) const {
    if (exponent == 0) return all<V>(1);
    if (exponent == 2) return Square{}.slope(outcome, power);
    const V entropy = outcome.entropy();
    if (exponent == 1) return outcome.q + entropy;
    constexpr A kSmallest = std::numeric_limits<A>::min();
    const Mask<V> is_certain = magnitude(outcome.q) < all<V>(kSmallest);
    const V ratio = select<V>(is_certain, all<V>(1), entropy * reciprocal(outcome.q));
    return multiply_add(power, exponent * ratio, power);
  }
};

// −(1 − p)^γ log p.  Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 4.
template <class Power>
struct Focal {
  static constexpr bool kIsCheap = Power::kIsCheap;

  Power power;  // of γ

  template <class A, bool kIsFinite>
  HD Dual<A> operator()(const Outcome<A, kIsFinite>& outcome) const {
    const A weight = power(outcome.q);
    return {weight * outcome.surprisal, power.slope(outcome, weight)};
  }
};

}  // namespace culoss
