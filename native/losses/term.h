// Terms: the loss of one outcome, from the probability p that the model gave to it.
#pragma once

#include <math.h>

#include <limits>

#include "../core/power.h"

namespace culoss {

// The probability of an outcome with its parts, each exact by itself: at p → 1 the digits are in
// q, at p → 0 in log_p, and neither can be had from p without losing them.
template <class A>
struct Outcome {
  A log_p;
  A p;
  A q;  // 1 − p

  // −p log p: 0 at p = 0 and at p = 1.
  HD A entropy() const {
    constexpr Scalar<A> kLargest = std::numeric_limits<Scalar<A>>::max();  // not 0 · ∞
    return -(p * larger(log_p, all<A>(-kLargest)));
  }
};

template <class A>
struct Dual {
  A value;
  A slope;  // d value / d log p
};

// −log p.
struct CrossEntropy {
  static constexpr bool kIsCheap = true;

  template <class A>
  HD Dual<A> operator()(const Outcome<A>& outcome) const {
    return {-outcome.log_p, all<A>(-1)};
  }
};

// q^γ of γ = 1 and 2. `slope` is d q^γ / d log p · log p = γ q^(γ − 1) (−p log p).
template <class A>
struct SmallPower {
  static constexpr bool kIsCheap = true;

  A linear;  // 1 where γ is 1, else 0
  A square;  // 1 where γ is 2, else 0

  static bool holds(double gamma) { return gamma == 1 || gamma == 2; }
  static SmallPower of(double gamma) { return {A(gamma == 1), A(gamma == 2)}; }

  template <class V>
  HD V operator()(V q) const {
    return q * (linear + q * square);
  }
  template <class V>
  HD V slope(const Outcome<V>& outcome, V) const {
    return (linear + outcome.q * (2 * square)) * outcome.entropy();
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
  template <class V>
  HD V slope(const Outcome<V>& outcome, V power) const {
    if (exponent == 0) return V{};
    const V entropy = outcome.entropy();
    if (exponent == 1) return entropy;
    if (exponent == 2) return 2 * outcome.q * entropy;
    constexpr A kSmallest = std::numeric_limits<A>::min();
    const Mask<V> is_certain = magnitude(outcome.q) < all<V>(kSmallest);
    const V ratio = select<V>(is_certain, all<V>(1), entropy * reciprocal(outcome.q));
    return power * (exponent * ratio);
  }
};

// −(1 − p)^γ log p.  Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 4.
template <class Power>
struct Focal {
  static constexpr bool kIsCheap = Power::kIsCheap;

  Power power;  // of γ

  template <class A>
  HD Dual<A> operator()(const Outcome<A>& outcome) const {
    const A weight = power(outcome.q);
    return {-(weight * outcome.log_p), -(weight + power.slope(outcome, weight))};
  }
};

}  // namespace culoss
