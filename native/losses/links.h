// Links: from an element of the inputs to the probability of an outcome, and back down the chain.
#pragma once

#include <math.h>

#include <limits>

#include "../core/interval.h"
#include "term.h"

namespace culoss {

// An outcome as a function of one input x. `costly` is the part that takes longest, so that an
// engine may take that of many x first. `index` tells whether x is in the interval `regular`: there
// all numbers on the way are finite and normal, and the guards against everything else can be left
// out, which `kIsRegular` does.
template <class A, bool kIsRegular = false>
struct Linked {
  Outcome<A, kIsRegular> outcome;
  A slope;  // d surprisal / dx
};

// x is the probability itself, clamped first. The gradient is 0 where the clamp acted; its bounds
// pass. NaN passes through.
//
// −log 0 and 1/0 are replaced by `surprisal_of_zero` and `reciprocal_of_zero`: infinities for the
// categorical losses, and for the binary ones PyTorch's floors, without which one certain and wrong
// element would make the sum infinite. 1/p of another p is finite: where it overflows, the largest
// number. https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
template <class A, Digits kDigits = Digits::all>
struct Probability {
  A low;
  A high;
  A surprisal_of_zero;
  A reciprocal_of_zero;
  Interval<A> regular = Interval<A>::of(larger(low, std::numeric_limits<A>::min()),
                                        smaller(high, 1 - std::numeric_limits<A>::epsilon() / 2));

  static Probability with_floors(double low, double high) {
    return {A(low), A(high), A(100), A(1e12)};
  }
  static Probability without_floors(double low, double high) {
    return {A(low), A(high), A(INFINITY), A(INFINITY)};
  }

  template <class V>
  HD Bits<V> index(V x) const {
    return regular.index(clamped(x));
  }

  template <class V>
  struct Costly {
    V clamped;
    V surprisal;
  };
  template <bool kIsRegular = false, class V>
  HD Costly<V> costly(V x, const Mask<V>& is_positive) const {
    const V within = clamped(x);
    const auto [p, q] = outcome_of(within, is_positive);
    const V surprisal = surprisal_of<kDigits, kIsRegular>(p, q);
    if constexpr (kIsRegular) return {within, surprisal};
    return {within, select<V>(p == V{}, all<V>(surprisal_of_zero), surprisal)};
  }

  // The outcome "is of this class", of probability x, or "is not", of probability 1 − x.
  template <bool kIsRegular = false, class V>
  HD Linked<V, kIsRegular> operator()(V x, const Costly<V>& costly,
                                      const Mask<V>& is_positive) const {
    const auto [p, q] = outcome_of(costly.clamped, is_positive);
    const Mask<V> passes = costly.clamped == x;
    V slope;
    if constexpr (kIsRegular) {
      slope = select<V>(passes, reciprocal(p), V{});
    } else {
      slope = select<V>(passes, reciprocal_of(p), select<V>(x == x, V{}, x));  // NaN passes
    }
    return {{costly.surprisal, p, q}, select<V>(is_positive, -slope, slope)};
  }

  // NaN passes.
  template <class V>
  HD V clamped(V x) const {
    const V least = all<V>(low), most = all<V>(high);
    const V raised = select<V>(x < least, least, x);
    return select<V>(raised > most, most, raised);
  }

 private:
  template <class V>
  struct Sides {
    V p;
    V q;
  };
  template <class V>
  HD Sides<V> outcome_of(V x, const Mask<V>& is_positive) const {
    const V rest = 1 - x;
    return {select<V>(is_positive, x, rest), select<V>(is_positive, rest, x)};
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
// both exact in the tails. −d log σ(x) / dx = −σ(−x).
template <class A, Digits kDigits = Digits::all>
struct Sigmoid {
  static constexpr Interval<A> regular = Interval<A>::of(0, 80);  // of |x|

  template <class V>
  HD Bits<V> index(V x) const {
    constexpr Interval<A> of_magnitudes = regular;  // device code has no static members
    return of_magnitudes.index(magnitude(x));
  }

  template <class V>
  struct Costly {
    V e;     // e^−|x|
    V high;  // σ(|x|)
  };
  template <bool kIsRegular = false, class V>
  HD Costly<V> costly(V x, const Mask<V>&) const {
    const V e = exp_of_negative<kDigits, kIsRegular>(-magnitude(x));
    return {e, reciprocal(1 + e)};
  }

  // The outcome "is of this class", of probability σ(x), or "is not", of probability σ(−x).
  template <bool kIsRegular = false, class V>
  HD Linked<V, kIsRegular> operator()(V x, const Costly<V>& costly,
                                      const Mask<V>& is_positive) const {
    const auto [e, high] = costly;
    const V low = e * high;
    const V against = select<V>(is_positive, -x, x);
    const Mask<V> is_likely = has_sign(against);
    const V surprisal = log1p_of<kDigits>(e) + larger(against, V{});
    const V q = select<V>(is_likely, low, high);
    return {{surprisal, select<V>(is_likely, high, low), q}, select<V>(is_positive, -q, q)};
  }
};

}  // namespace culoss
