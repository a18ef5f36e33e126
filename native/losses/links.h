// Links: from an element of the inputs to the probability of an outcome, and back down the chain.
#pragma once

#include <math.h>

#include <limits>

#include "../core/platform.h"
#include "term.h"

namespace culoss {

// An outcome as a function of one input x.
template <class A>
struct Linked {
  Outcome<A> outcome;
  A slope;  // d log p / dx
};

// x is the probability itself, clamped first. The gradient is 0 where the clamp acted; its bounds
// pass. NaN passes through.
//
// log 0 and 1/0 are replaced by `log_of_zero` and `reciprocal_of_zero`: infinities for the
// categorical losses, and for the binary ones PyTorch's floors, without which one certain and wrong
// element would make the sum infinite. 1/p of another p is finite: where it overflows, the largest
// number. https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
struct Probability {
  double low;
  double high;
  double log_of_zero;
  double reciprocal_of_zero;

  static Probability with_floors(double low, double high) { return {low, high, -100, 1e12}; }
  static Probability without_floors(double low, double high) {
    return {low, high, -INFINITY, INFINITY};
  }

  template <class A>
  HD Linked<A> positive(A x) const {
    const A p = clamped(x);
    const A log_p = p == 0 ? A(log_of_zero) : log(p);
    return {{log_p, p, 1 - p}, was_clamped(x) ? A(0) : reciprocal(p)};
  }

  // The outcome of probability 1 − x. log1p keeps the digits that log(1 − x) loses.
  template <class A>
  HD Linked<A> negative(A x) const {
    const A q = clamped(x);
    const A p = 1 - q;
    const A log_p = p == 0 ? A(log_of_zero) : log1p(-q);
    return {{log_p, p, q}, was_clamped(x) ? A(0) : -reciprocal(p)};
  }

 private:
  template <class A>
  HD A clamped(A x) const {
    return x < A(low) ? A(low) : x > A(high) ? A(high) : x;
  }
  template <class A>
  HD bool was_clamped(A x) const {
    return x < A(low) || x > A(high);
  }
  template <class A>
  HD A reciprocal(A p) const {
    if (p <= 0) return p == 0 ? A(reciprocal_of_zero) : A(NAN);
    constexpr A kLargest = std::numeric_limits<A>::max();
    const A quotient = 1 / p;
    return quotient > kLargest ? kLargest : quotient;
  }
};

// x is a logit: p = σ(x) = 1 / (1 + e^−x). Only e^−|x| is ever computed, so that p and 1 − p are
// both exact in the tails. d log σ(x) / dx = σ(−x).
struct Sigmoid {
  template <class A>
  HD Linked<A> positive(A x) const {
    const A e = exp(-fabs(x));
    const A larger = 1 / (1 + e);
    const A smaller = e / (1 + e);
    const A log_larger = -log1p(e);
    if (x < 0) return {{x + log_larger, smaller, larger}, larger};
    return {{log_larger, larger, smaller}, smaller};
  }

  // The outcome of probability σ(−x).
  template <class A>
  HD Linked<A> negative(A x) const {
    Linked<A> linked = positive(-x);
    linked.slope = -linked.slope;
    return linked;
  }
};

}  // namespace culoss
