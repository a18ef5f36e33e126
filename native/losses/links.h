// Links: from an element of the inputs to the probability of an outcome, and back down the chain.
#pragma once

#include <math.h>

#include <limits>

#include "../core/platform.h"
#include "term.h"

namespace culoss {

// An outcome as a function of one input x. A link says of which x it `is_regular`: there all
// numbers on the way are finite and normal, nothing is clamped, and the guards against everything
// else can be left out, which `kIsRegular` does.
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
template <class A, Digits kDigits = Digits::all>
struct Probability {
  A low;
  A high;
  A log_of_zero;
  A reciprocal_of_zero;
  A first_regular = larger(low, std::numeric_limits<A>::min());
  A last_regular = smaller(high, 1 - std::numeric_limits<A>::epsilon() / 2);

  static Probability with_floors(double low, double high) {
    return {A(low), A(high), A(-100), A(1e12)};
  }
  static Probability without_floors(double low, double high) {
    return {A(low), A(high), A(-INFINITY), A(INFINITY)};
  }

  template <class V>
  HD Mask<V> is_regular(V x) const {
    return (x >= all<V>(first_regular)) & (x <= all<V>(last_regular));
  }

  // The outcome "is of this class", of probability x, or "is not", of probability 1 − x.
  template <bool kIsRegular = false, class V>
  HD Linked<V> operator()(V x, const Mask<V>& is_positive) const {
    const V least = all<V>(low), most = all<V>(high);
    const Mask<V> is_below = x<least, is_above = x> most;
    V given = x;
    if constexpr (!kIsRegular) {
      given = select<V>(is_below, least, select<V>(is_above, most, x));
    }
    const V rest = 1 - given;
    const V p = select<V>(is_positive, given, rest), q = select<V>(is_positive, rest, given);
    V slope;
    if constexpr (kIsRegular) {
      slope = reciprocal(p);
    } else {
      slope = select<V>(is_below | is_above, V{}, reciprocal_of(p));
    }
    return {outcome<kIsRegular>(p, q), select<V>(is_positive, slope, -slope)};
  }

 private:
  template <bool kIsRegular, class V>
  HD Outcome<V> outcome(V p, V q) const {
    const auto [log_p, ratio] = Logarithm<V>::template of<kDigits, kIsRegular>(p, q);
    if constexpr (kIsRegular) {
      const Mask<V> is_likely = p >= all<V>(A(0.5));
      return {log_p, p, q, p * select<V>(is_likely, ratio, -log_p * reciprocal(q))};
    } else {
      const Mask<V> is_likely = (p >= all<V>(A(0.5))) & (p <= all<V>(1)), is_zero = p == V{};
      const V pr = p * select<V>(is_likely, ratio, -log_p * reciprocal(q));
      return {select<V>(is_zero, all<V>(log_of_zero), log_p), p, q, select<V>(is_zero, V{}, pr)};
    }
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
template <class A, Digits kDigits = Digits::all>
struct Sigmoid {
  template <class V>
  HD Mask<V> is_regular(V x) const {
    return magnitude(x) <= all<V>(80);
  }

  // The outcome "is of this class", of probability σ(x), or "is not", of probability σ(−x).
  template <bool kIsRegular = false, class V>
  HD Linked<V> operator()(V x, const Mask<V>& is_positive) const {
    const V distance = magnitude(x);
    const V e = exp_of_negative<kDigits>(-distance);
    const V high = reciprocal(1 + e), low = e * high;
    const V ratio = log_ratio<kDigits>(low);
    const V log_high = -(low * ratio), log_low = log_high - distance;
    const Mask<V> is_unlikely = select<V>(is_positive, x, -x) < V{};
    const V q = select<V>(is_unlikely, high, low);
    V distance_of_low = -log_low;
    if constexpr (!kIsRegular) {  // not ∞ · 0
      distance_of_low = smaller(all<V>(std::numeric_limits<A>::max()), distance_of_low);
    }
    const Outcome<V> outcome{select<V>(is_unlikely, log_low, log_high),
                             select<V>(is_unlikely, low, high), q,
                             select<V>(is_unlikely, distance_of_low * e, high * ratio)};
    return {outcome, select<V>(is_positive, q, -q)};
  }
};

}  // namespace culoss
