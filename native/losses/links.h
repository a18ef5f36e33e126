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
template <class A>
struct Probability {
  A low;
  A high;
  A log_of_zero;
  A reciprocal_of_zero;

  static Probability with_floors(double low, double high) {
    return {A(low), A(high), A(-100), A(1e12)};
  }
  static Probability without_floors(double low, double high) {
    return {A(low), A(high), A(-INFINITY), A(INFINITY)};
  }

  // The outcome "is of this class", of probability x, or "is not", of probability 1 − x.
  HD Linked<A> operator()(A x, bool is_positive) const {
    const A given = clamped(x), rest = 1 - given;
    const A p = is_positive ? given : rest, q = is_positive ? rest : given;
    const A slope = was_clamped(x) ? A(0) : reciprocal_of(p);
    return {outcome(p, q), is_positive ? slope : -slope};
  }

 private:
  HD A clamped(A x) const { return x < low ? low : x > high ? high : x; }
  HD bool was_clamped(A x) const { return x < low || x > high; }
  HD Outcome<A> outcome(A p, A q) const {
    if (p >= A(0.5) && p <= 1) return Outcome<A>::likely(p, q);
    if (p == 0) return {log_of_zero, p, q, A(0)};
    const A log_p = log_of_small(p);
    return {log_p, p, q, -log_p * p * reciprocal(q)};
  }
  HD A reciprocal_of(A p) const {
    if (p <= 0) return p == 0 ? reciprocal_of_zero : A(NAN);
    constexpr A kLargest = std::numeric_limits<A>::max(), kSmallest = std::numeric_limits<A>::min();
    const A quotient = p < kSmallest ? 1 / p : reciprocal(p);
    return quotient > kLargest ? kLargest : quotient;
  }
};

// x is a logit: p = σ(x) = 1 / (1 + e^−x). Only e^−|x| is ever computed, so that p and 1 − p are
// both exact in the tails. d log σ(x) / dx = σ(−x).
template <class A>
struct Sigmoid {
  // The outcome "is of this class", of probability σ(x), or "is not", of probability σ(−x).
  HD Linked<A> operator()(A x, bool is_positive) const {
    const A z = is_positive ? x : -x;
    const A e = exp(-fabs(x));
    const A larger = reciprocal(1 + e), smaller = e * larger;
    const Outcome<A> likely = Outcome<A>::likely(larger, smaller);
    const A log_smaller = likely.log_p - fabs(x);
    constexpr A kLargest = std::numeric_limits<A>::max();  // not ∞ · 0
    const Outcome<A> outcome =
        z < 0 ? Outcome<A>{log_smaller, smaller, larger, fmin(-log_smaller, kLargest) * e} : likely;
    return {outcome, is_positive ? outcome.q : -outcome.q};
  }
};

}  // namespace culoss
