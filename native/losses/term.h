// Terms: the loss of one outcome, from the probability p that the model gave to it.
#pragma once

#include <math.h>

#include "../core/platform.h"

namespace culoss {

// The probability of an outcome with its parts, each exact by itself: at p → 1 the digits are in
// q, at p → 0 in log_p, and neither can be had from p without losing them.
template <class A>
struct Outcome {
  A log_p;
  A p;
  A q;  // 1 − p
};

template <class A>
struct Dual {
  A value;
  A slope;  // d value / d log p
};

// −log p.
struct CrossEntropy {
  template <class A>
  HD Dual<A> operator()(const Outcome<A>& outcome) const {
    return {-outcome.log_p, A(-1)};
  }
};

// −(1 − p)^γ log p.  Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 4.
//
// d/d log p = −q^γ (1 + γ p r) with r = −log p / q, which needs no q^(γ − 1) and so is finite for
// every γ ≥ 0: p r → 1 as q → 0, and p r → 0 as p → 0.
struct Focal {
  double gamma;

  template <class A>
  HD Dual<A> operator()(const Outcome<A>& outcome) const {
    const auto& [log_p, p, q] = outcome;
    const A weight = power_of_gamma(q);
    const A pr = q == 0 ? A(1) : p == 0 ? A(0) : -log_p * p / q;
    return {-(weight * log_p), -(weight * (1 + A(gamma) * pr))};
  }

 private:
  template <class A>
  HD A power_of_gamma(A q) const {
    if (gamma == 0) return 1;
    if (gamma == 1) return q;
    if (gamma == 2) return q * q;
    return pow(q, A(gamma));
  }
};

}  // namespace culoss
