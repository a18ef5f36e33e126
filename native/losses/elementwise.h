// The binary losses: every element is a question of its own, "is this row of this class?".
#pragma once

#include "../core/call.h"
#include "division.h"
#include "links.h"
#include "sides.h"
#include "term.h"

namespace culoss {

template <class T, class Term, class L, class Sides, class Target>
struct Elementwise {
  using Stored = T;
  using Link = L;
  using A = Compute<T>;
  template <class V>
  using Costly = typename Link::template Costly<V>;
  // No element has a number of its own beside its target, such as a weight.
  static constexpr bool kIsUniform = Sides::kIsUniform;
  static constexpr bool kIsHard = Sides::kIsHard;
  static constexpr bool kIsCheap = kIsUniform && Term::kIsCheap;

  Term term;
  Link link;
  Sides sides;
  Target target;
  Layout layout;
  Broadcast grad_output;
  const T* inputs;  // the layout's shape, as all below
  T* grad;          // or null
  A* losses;        // or null

  // What the slope of an element's loss is multiplied by; alike for all where they are uniform.
  HD A upstream(const Place& place, A slope_of_division) const {
    return grad_output.at<A>(place) * slope_of_division;
  }

  // The loss of one element, of input x, undivided, and what belongs into `grad`.
  HD Dual<A> operator()(A x, const Label<A>& label, const Place& place, A upstream) const {
    if (!label.counts) return {0, 0};
    if constexpr (kIsHard) {
      const bool is_positive = label.y != 0;
      const A weight = is_positive ? sides.positive : sides.negative;
      return of_side(x, is_positive, weight, upstream);
    } else {
      const Weights<A> weights = sides(label.y, place);
      const bool is_positive = weights.positive != 0;
      const Dual<A> loss =
          of_side(x, is_positive, is_positive ? weights.positive : weights.negative, upstream);
      if (!is_positive || weights.negative == 0) return loss;
      const Dual<A> other = of_side(x, false, weights.negative, upstream);
      return {loss.value + other.value, loss.slope + other.slope};
    }
  }

  // The loss of input x if it is of its class, or if it is not, and its derivative by x.
  // `kIsRegular` says that the link is regular there, and `upstream` finite; `costly` is the
  // link's.
  template <bool kIsRegular = false, class V>
  HD Dual<V> of_side(V x, const Costly<V>& costly, const Mask<V>& is_positive, V weight,
                     V upstream) const {
    const Dual<V> loss = unweighted<kIsRegular>(x, costly, is_positive);
    const V value = weight * loss.value, slope = weight * loss.slope;
    if constexpr (kIsRegular) {
      return {value, upstream * slope};
    } else {  // not 0 · ∞
      const Mask<V> counts = weight != V{};
      return {select<V>(counts, value, V{}),
              select<V>(counts & (slope != V{}), upstream * slope, V{})};
    }
  }
  template <bool kIsRegular, class V>
  HD Dual<V> unweighted(V x, const Costly<V>& costly, const Mask<V>& is_positive) const {
    const Linked<V, kIsRegular> linked =
        link.template operator()<kIsRegular>(x, costly, is_positive);
    return term(linked.outcome, linked.slope);
  }
  template <bool kIsRegular = false, class V>
  HD Dual<V> of_side(V x, const Mask<V>& is_positive, V weight, V upstream) const {
    const V begun = link.template begun<kIsRegular>(x, is_positive);
    const Costly<V> costly = link.template costly<kIsRegular>(begun, is_positive);
    return of_side<kIsRegular>(x, costly, is_positive, weight, upstream);
  }
  HD bool is_regular(A x) const {
    const Interval<A> regular = link.regular();
    return regular.index(link.told(x)) < regular.count;
  }
};

}  // namespace culoss
