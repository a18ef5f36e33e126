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
  A slope;  // its derivative
};

// −log p. As with every term, `slope` is the derivative of the surprisal by something, and what
// comes out is the term and its derivative by that.
struct CrossEntropy {
  static constexpr bool kIsCheap = true;

  template <class A, bool kIsFinite>
  HD Dual<A> operator()(const Outcome<A, kIsFinite>& outcome, A slope = all<A>(1)) const {
    return {outcome.surprisal, slope};
  }
};

// q^γ of γ = 2, which is what most use. With u = −log p, `slope` is d (q^γ u) of du, which is
// `of_surprisal`: q^γ + γ q^(γ − 1) p u times as much.
struct Square {
  static constexpr bool kIsCheap = true;

  template <class V>
  HD V operator()(V q) const {
    return q * q;
  }
  template <class V, bool kIsFinite>
  HD V slope(const Outcome<V, kIsFinite>& outcome, V, V of_surprisal) const {
    const V sum = multiply_add(all<V>(2), outcome.entropy(), outcome.q);
    return outcome.q * of_surprisal * sum;
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
  HD V slope(const Outcome<V, kIsFinite>& outcome, V power, V of_surprisal) const {
    if (exponent == 0) return of_surprisal;
    if (exponent == 2) return Square{}.slope(outcome, power, of_surprisal);
    const V entropy = outcome.entropy();
    if (exponent == 1) return (outcome.q + entropy) * of_surprisal;
    constexpr A kSmallest = std::numeric_limits<A>::min();
    const Mask<V> is_certain = magnitude(outcome.q) < all<V>(kSmallest);
    const V ratio = select<V>(is_certain, all<V>(1), entropy * reciprocal(outcome.q));
    return multiply_add(power, exponent * ratio, power) * of_surprisal;
  }
};

// −(1 − p)^γ log p.  Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 4.
template <class Power>
struct Focal {
  static constexpr bool kIsCheap = Power::kIsCheap;

  Power power;  // of γ

  template <class A, bool kIsFinite>
  HD Dual<A> operator()(const Outcome<A, kIsFinite>& outcome, A slope = all<A>(1)) const {
    const A weight = power(outcome.q);
    return {weight * outcome.surprisal, power.slope(outcome, weight, slope)};
  }
};

}  // namespace culoss
