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
    const Dual<A> loss = evaluate(x, label.y, place);
    return {loss.value, loss.slope == 0 ? 0 : upstream * loss.slope};  // not 0 · ∞
  }

 private:
  // The loss of input x with target y, and its derivative by x. A side without weight is not
  // evaluated: 0 · ∞ never arises, and a hard target costs one logarithm.
  HD Dual<A> evaluate(A x, A y, const Place& place) const {
    if constexpr (kIsHard) {
      return of_side(x, y != 0, y != 0 ? sides.positive : sides.negative);
    } else {
      const auto [positive, negative] = sides(y, place);
      const bool is_positive = positive != 0;
      const Dual<A> loss = of_side(x, is_positive, is_positive ? positive : negative);
      if (!is_positive || negative == 0) return loss;
      const Dual<A> other = of_side(x, false, negative);
      return {loss.value + other.value, loss.slope + other.slope};
    }
  }

  HD Dual<A> of_side(A x, bool is_positive, A weight) const {
    if (weight == 0) return {0, 0};
    const Linked<A> linked = link(x, is_positive);
    const Dual<A> outcome = term(linked.outcome);
    return {weight * outcome.value, weight * (outcome.slope * linked.slope)};
  }
};

}  // namespace culoss
