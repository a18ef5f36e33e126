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
  template <class V>
  HD Linked<V> operator()(V x, const Mask<V>& is_positive) const {
    const V least = all<V>(low), most = all<V>(high);
    const Mask<V> is_below = x<least, is_above = x> most;
    const V given = select<V>(is_below, least, select<V>(is_above, most, x)), rest = 1 - given;
    const V p = select<V>(is_positive, given, rest), q = select<V>(is_positive, rest, given);
    const V slope = select<V>(is_below | is_above, V{}, reciprocal_of(p));
    return {outcome(p, q), select<V>(is_positive, slope, -slope)};
  }

 private:
  template <class V>
  HD Outcome<V> outcome(V p, V q) const {
    const auto [log_p, ratio] = Logarithm<V>::of(p, q);
    const Mask<V> is_likely = (p >= all<V>(A(0.5))) & (p <= all<V>(1)), is_zero = p == V{};
    const V pr = p * select<V>(is_likely, ratio, -log_p * reciprocal(q));
    return {select<V>(is_zero, all<V>(log_of_zero), log_p), p, q, select<V>(is_zero, V{}, pr)};
  }
  template <class V>
  HD V reciprocal_of(V p) const {
    using Limits = std::numeric_limits<A>;
#ifdef __CUDA_ARCH__
    const V exact = p < Limits::min() ? 1 / p : reciprocal(p);
#else
    const V exact = 1 / p;
#endif
    const V of_rest = select<V>(p == V{}, all<V>(reciprocal_of_zero), all<V>(A(NAN)));
    return select<V>(p > V{}, smaller(all<V>(Limits::max()), exact), of_rest);
  }
};

// x is a logit: p = σ(x) = 1 / (1 + e^−x). Only e^−|x| is ever computed, so that p and 1 − p are
// both exact in the tails. d log σ(x) / dx = σ(−x).
template <class A>
struct Sigmoid {
  // The outcome "is of this class", of probability σ(x), or "is not", of probability σ(−x).
  template <class V>
  HD Linked<V> operator()(V x, const Mask<V>& is_positive) const {
    const V distance = magnitude(x);
    const V e = exp_of_negative(-distance);
    const V high = reciprocal(1 + e), low = e * high;
    const V ratio = log_ratio(low);
    const V log_high = -(low * ratio), log_low = log_high - distance;
    const Mask<V> is_unlikely = select<V>(is_positive, x, -x) < V{};
    const V largest = all<V>(std::numeric_limits<A>::max());  // not ∞ · 0
    const V q = select<V>(is_unlikely, high, low);
    const Outcome<V> outcome{select<V>(is_unlikely, log_low, log_high),
                             select<V>(is_unlikely, low, high), q,
                             select<V>(is_unlikely, smaller(largest, -log_low) * e, high * ratio)};
    return {outcome, select<V>(is_positive, q, -q)};
  }
};

}  // namespace culoss
