// The binary losses: every element is a question of its own, "is this row of this class?".
#pragma once

#include "../core/call.h"
#include "division.h"
#include "links.h"
#include "sides.h"
#include "term.h"

namespace culoss {

template <class T, class Term, class Link, class Sides, class Target>
struct Elementwise {
  using Stored = T;
  using A = Compute<T>;
  // No element has a number of its own beside its target: neither a weight nor a loss to write.
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
      return scaled(of_side(x, is_positive, weight), upstream);
    } else {
      const Weights<A> weights = sides(label.y, place);
      const bool is_positive = weights.positive != 0;
      const Dual<A> loss =
          of_side(x, is_positive, is_positive ? weights.positive : weights.negative);
      if (!is_positive || weights.negative == 0) return scaled(loss, upstream);
      const Dual<A> other = of_side(x, false, weights.negative);
      return scaled(Dual<A>{loss.value + other.value, loss.slope + other.slope}, upstream);
    }
  }

  // What the outcomes of an element count.
  HD Weights<A> weights(const Label<A>& label, const Place& place) const {
    if (!label.counts) return {0, 0};
    if constexpr (kIsHard) {
      return label.y != 0 ? Weights<A>{sides.positive, 0} : Weights<A>{0, sides.negative};
    } else {
      return sides(label.y, place);
    }
  }

  // The loss of input x if it is of its class, or if it is not, and its derivative by x.
  template <class V>
  HD Dual<V> of_side(V x, const Mask<V>& is_positive, V weight) const {
    const Linked<V> linked = link(x, is_positive);
    const Dual<V> outcome = term(linked.outcome);
    const Mask<V> counts = weight != V{};  // not 0 · ∞
    return {select<V>(counts, weight * outcome.value, V{}),
            select<V>(counts, weight * (outcome.slope * linked.slope), V{})};
  }
  template <class V>
  static HD Dual<V> scaled(const Dual<V>& loss, A upstream) {
    return {loss.value, select<V>(loss.slope != V{}, upstream * loss.slope, V{})};  // not 0 · ∞
  }
};

}  // namespace culoss
