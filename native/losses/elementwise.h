// The binary losses: every element is a question of its own, "is this row of this class?".
#pragma once

#include "../core/call.h"
#include "division.h"
#include "links.h"
#include "sides.h"
#include "term.h"

namespace culoss {

template <class T, class Term, class Link, class Target>
struct Elementwise {
  using A = Compute<T>;

  Term term;
  Link link;
  BothSides sides;
  Target target;
  Layout layout;
  Broadcast grad_output;
  const T* inputs;  // the layout's shape, as all below
  T* grad;          // or null
  A* losses;        // or null

  // Visits one element: writes what is wanted of it and returns its loss, undivided.
  HD double operator()(const Place& place, typename Target::Row targets,
                       const Division& division) const {
    Dual<A> loss{0, 0};
    if (targets.counts(place)) {
      loss = evaluate(load(inputs[place.offset]), targets.template at<A>(place), place);
    }
    if (losses) losses[place.offset] = A(division.of(loss.value));
    if (grad) {
      const A upstream = grad_output.at<A>(place) * A(division.slope());
      grad[place.offset] = store<T>(loss.slope == 0 ? A(0) : upstream * loss.slope);  // not 0 · ∞
    }
    return loss.value;
  }

 private:
  // The loss of input x with target y, and its derivative by x. A side without weight is not
  // evaluated: 0 · ∞ never arises, and a hard target costs one logarithm.
  HD Dual<A> evaluate(A x, A y, const Place& place) const {
    const Weights<A> weights = sides(y, place);
    Dual<A> loss{0, 0};
    if (weights.positive != 0) accumulate(loss, weights.positive, link.positive(x));
    if (weights.negative != 0) accumulate(loss, weights.negative, link.negative(x));
    return loss;
  }

  HD void accumulate(Dual<A>& loss, A weight, const Linked<A>& linked) const {
    const Dual<A> outcome = term(linked.outcome);
    loss.value += weight * outcome.value;
    loss.slope += weight * (outcome.slope * linked.slope);
  }
};

}  // namespace culoss
