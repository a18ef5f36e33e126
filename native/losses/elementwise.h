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
  Broadcast grad_output;
  const T* inputs;  // (rows, columns)
  T* grad;          // (rows, columns) or null
  A* losses;        // (rows, columns) or null
  int64_t rows;
  int64_t columns;

  // Visits one element: writes what is wanted of it and returns its loss, undivided.
  HD double operator()(int64_t row, int64_t column, typename Target::Row targets,
                       const Division& division) const {
    const int64_t at = row * columns + column;
    const Dual<A> loss = evaluate(load(inputs[at]), targets.template at<A>(column), column);
    if (losses) losses[at] = A(division.of(loss.value));
    if (grad) {
      const A upstream = grad_output.at<A>(row, column) * A(division.slope());
      grad[at] = store<T>(upstream * loss.slope);
    }
    return loss.value;
  }

 private:
  // The loss of input x with target y, and its derivative by x. A side without weight is not
  // evaluated: 0 · ∞ never arises, and a hard target costs one logarithm.
  HD Dual<A> evaluate(A x, A y, int64_t column) const {
    const Weights<A> weights = sides(y, column);
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
