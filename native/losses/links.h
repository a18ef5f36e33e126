// Links: from an element of the inputs to the probability of an outcome, and back down the chain.
#pragma once

#include <math.h>

#include <limits>

#include "../core/interval.h"
#include "../core/surprisal.h"
#include "term.h"

namespace culoss {

// An outcome as a function of one input x, in three steps, so that an engine may be at work on
// those of several x at once: what has `begun` makes the `costly` part, and that the outcome.
// Where the number `told(x)` is in the interval `regular()`, all numbers on the way are finite and
// normal, and the guards against everything else can be left out, which `kIsRegular` does. For the
// outcome "is not of this class" alone, `kIsNegative`, the interval may be larger.
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
  Interval<A> normal = Interval<A>::of(larger(low, std::numeric_limits<A>::min()),
                                       smaller(high, 1 - std::numeric_limits<A>::epsilon() / 2));

  static Probability with_floors(double low, double high) {
    return {A(low), A(high), A(100), A(1e12)};
  }
  static Probability without_floors(double low, double high) {
    return {A(low), A(high), A(INFINITY), A(INFINITY)};
  }

  template <bool kIsNegative = false>
  HD Interval<A> regular() const {
    return kIsNegative ? normal.from_zero() : normal;
  }
  template <class V>
  HD V told(V x) const {
    return clamped(x);
  }

  template <class V>
  struct Costly {
    V clamped;
    Reduced<V, kDigits> p;  // of the outcome
  };
  template <bool kIsRegular = false, class V>
  HD V begun(V x, const Mask<V>&) const {
    return clamped(x);
  }
  template <bool kIsRegular = false, class V>
  HD Costly<V> costly(V within, const Mask<V>& is_positive) const {
    const auto [p, q] = outcome_of(within, is_positive);
    return {within, Reduced<V, kDigits>::template of<kIsRegular>(p, q, !is_positive)};
  }

  // The outcome "is of this class", of probability x, or "is not", of probability 1 − x.
  template <bool kIsRegular = false, class V>
  HD Linked<V, kIsRegular> operator()(V x, const Costly<V>& costly,
                                      const Mask<V>& is_positive) const {
    const V p = costly.p.p, q = outcome_of(costly.clamped, is_positive).q;
    V surprisal = costly.p.template surprisal<kIsRegular>();
    V reciprocal = costly.p.template reciprocal<kIsRegular>(), of_clamped{};
    if constexpr (!kIsRegular) {
      const V largest = all<V>(std::numeric_limits<A>::max());
      surprisal = select<V>(p == V{}, all<V>(surprisal_of_zero), surprisal);
      reciprocal = select<V>(p == V{}, all<V>(reciprocal_of_zero), smaller(largest, reciprocal));
      reciprocal = select<V>(p >= V{}, reciprocal, all<V>(A(NAN)));
      of_clamped = select<V>(x == x, V{}, x);  // NaN passes
    }
    const V slope = select<V>(costly.clamped == x, reciprocal, of_clamped);
    return {{surprisal, p, q}, select<V>(is_positive, -slope, slope)};
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
};

// x is a logit: p = σ(x) = 1 / (1 + e^−x). Only one of e^x and e^−x is ever computed, so that p and
// 1 − p are both exact in the tails. −d log σ(x) / dx = −σ(−x).
template <class A, Digits kDigits = Digits::all>
struct Sigmoid {
  // e^a of an a above this is not computed, but e^−a: where there is a table of logarithms, that
  // would be too large, else the logarithm of 1 + e^a would take too long.
  static constexpr A kMost = kHasTable<A> ? A(kMostExponent) : A(0);

  template <bool kIsNegative = false>
  HD static constexpr Interval<A> regular() {
    return Interval<A>::of(0, kHasTable<A> ? kMost : A(80));
  }
  template <class V>
  HD static V told(V x) {
    return magnitude(x);
  }

  template <bool kIsRegular = false, class V>
  HD V begun(V x, const Mask<V>& is_positive) const {
    const V a = against(x, is_positive);
    return exponential<kDigits, kIsRegular>(select<V>(is_turned<kIsRegular>(a), -a, a));
  }
  template <class V>
  struct Costly {
    V e;                        // e^±x
    Reduced<V, kDigits> total;  // 1 + e
  };
  template <bool kIsRegular = false, class V>
  HD Costly<V> costly(V begun, const Mask<V>&) const {
    return {begun, Reduced<V, kDigits>::one_and(begun)};
  }

  // The outcome "is of this class", of probability σ(x), or "is not", of probability σ(−x).
  template <bool kIsRegular = false, class V>
  HD Linked<V, kIsRegular> operator()(V x, const Costly<V>& costly,
                                      const Mask<V>& is_positive) const {
    const V a = against(x, is_positive);
    const Mask<V> is_turned = this->is_turned<kIsRegular>(a);
    const V one = costly.total.template reciprocal<true>(), other = costly.e * one;
    V surprisal = costly.total.log();
    if constexpr (!kIsNeverTurned<kIsRegular>) surprisal = surprisal + select<V>(is_turned, a, V{});
    const V p = select<V>(is_turned, other, one), q = select<V>(is_turned, one, other);
    return {{surprisal, p, q}, select<V>(is_positive, -q, q)};
  }

 private:
  // The logit of the other outcome: p = 1 / (1 + e^a).
  template <class V>
  HD static V against(V x, const Mask<V>& is_positive) {
    return select<V>(is_positive, -x, x);
  }
  template <bool kIsRegular>
  static constexpr bool kIsNeverTurned = kHasTable<A> ? kIsRegular : false;
  template <bool kIsRegular, class V>
  HD static Mask<V> is_turned(V a) {
    if constexpr (kIsNeverTurned<kIsRegular>) return Mask<V>{};
    return a > all<V>(kMost);
  }
};

}  // namespace culoss
