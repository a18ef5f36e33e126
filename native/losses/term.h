// Terms: the loss of one outcome, from the probability p that the model gave to it.
#pragma once

#include <math.h>

#include "../core/math.h"

namespace culoss {

// The probability of an outcome with its parts, each exact by itself: at p → 1 the digits are in
// q, at p → 0 in log_p, and neither can be had from p without losing them.
template <class A>
struct Outcome {
  A log_p;
  A p;
  A q;   // 1 − p
  A pr;  // −p log p / q: 1 at p = 1, 0 at p = 0
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

// q^γ of γ = 0, 1, 2.
template <class A>
struct SmallPower {
  static constexpr bool kIsCheap = true;

  A exponent;
  A at[3];  // 1 where γ is that, else 0

  static bool holds(double gamma) { return gamma == 0 || gamma == 1 || gamma == 2; }
  static SmallPower of(double gamma) {
    return {A(gamma), {A(gamma == 0), A(gamma == 1), A(gamma == 2)}};
  }

  template <class V>
  HD V operator()(V q) const {
    return at[0] + q * (at[1] + q * at[2]);
  }
};

// q^γ of any γ ≥ 0.
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
};

// −(1 − p)^γ log p.  Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 4.
//
// d/d log p = −q^γ (1 + γ p r) with r = −log p / q, which needs no q^(γ − 1) and so is finite for
// every γ ≥ 0: p r → 1 as q → 0, and p r → 0 as p → 0. γ = 0 gives `CrossEntropy` bit for bit.
template <class Power>
struct Focal {
  static constexpr bool kIsCheap = Power::kIsCheap;

  Power power;  // of γ

  template <class A>
  HD Dual<A> operator()(const Outcome<A>& outcome) const {
    const A weight = power(outcome.q);
    return {-(weight * outcome.log_p), -(weight * (1 + power.exponent * outcome.pr))};
  }
};

}  // namespace culoss
