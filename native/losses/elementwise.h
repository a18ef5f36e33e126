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
  using Stored = T;
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

  // Visits one element, of input x: writes its loss if that is wanted; returns it, undivided, and
  // what belongs into `grad`.
  struct Visited {
    double loss;
    T grad;
  };
  HD Visited visit(T x, const Place& place, typename Target::Row targets,
                   const Division& division) const {
    Dual<A> loss{0, 0};
    if (targets.counts(place)) loss = evaluate(load(x), targets.template at<A>(place), place);
    if (losses) losses[place.offset] = A(division.of(loss.value));
    if (grad == nullptr) return {loss.value, {}};
    const A upstream = grad_output.at<A>(place) * A(division.slope());
    return {loss.value, store<T>(loss.slope == 0 ? A(0) : upstream * loss.slope)};  // not 0 · ∞
  }

  // The same, from memory to memory; returns the loss.
  HD double operator()(const Place& place, typename Target::Row targets,
                       const Division& division) const {
    const Visited visited = visit(inputs[place.offset], place, targets, division);
    if (grad) grad[place.offset] = visited.grad;
    return visited.loss;
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
