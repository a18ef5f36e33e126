// The categorical losses: a row asks one question, "which class?".
#pragma once

#include "../core/call.h"
#include "../core/product.h"
#include "division.h"
#include "sides.h"
#include "softmax.h"
#include "term.h"

namespace culoss {

// With w_c the weight of class c, the loss of a row is Σ_c w_c term(log p_c), and
//
//   d loss / d x_j = s_j d log p_j / d x_j − p_j Σ_{c≠j} s_c      with s_c = w_c term'(log p_c);
//
// the last part is there for coupled links only. An engine takes three steps a row: `statistics`
// over all columns, `visit` over those that can hold a target, `write_grad` over all columns.
template <class T, class Term, class Link, class Target>
struct Rowwise {
  using A = Compute<T>;
  using Statistics = typename Link::template Statistics<A>;
  static constexpr bool kCoupled = Link::kCoupled;

  Term term;
  Link link;
  TargetsOnly sides;
  Target target;
  Broadcast grad_output;
  const T* inputs;  // (rows, columns)
  T* grad;          // (rows, columns) or null
  A* losses;        // (rows), or (rows, columns) if `per_element`, or null
  bool per_element;
  int64_t rows;
  int64_t columns;

  // Sums over the columns of a row, in float64: adding zeros to one s_c changes none of its bits.
  struct Sums {
    double loss = 0;
    double slope = 0;  // Σ_c s_c

    friend HD Sums operator+(const Sums& a, const Sums& b) {
      return {a.loss + b.loss, a.slope + b.slope};
    }
  };

  HD Statistics statistics(int64_t row, int64_t column) const {
    if constexpr (kCoupled) {
      return {0, load(inputs[row * columns + column]), column};
    } else {
      return {};
    }
  }

  // The part of class `column` in the sums of its row; writes its loss if one per element is
  // wanted.
  HD Sums visit(int64_t row, int64_t column, typename Target::Row targets,
                const Statistics& statistics, const Division& division) const {
    const A weight = sides(targets.template at<A>(column), column);
    Sums sums;
    if (weight != 0) {
      const Dual<A> outcome = term(linked(row, column, statistics).outcome);
      sums.loss += weight * outcome.value;
      sums.slope += slope_of(row, column, weight, outcome, division);
    }
    if (per_element) losses[row * columns + column] = A(division.of(sums.loss));
    return sums;
  }

  HD void write_grad(int64_t row, int64_t column, typename Target::Row targets,
                     const Statistics& statistics, const Sums& sums,
                     const Division& division) const {
    const A weight = sides(targets.template at<A>(column), column);
    A slope = 0;
    if (kCoupled || weight != 0) {
      const Linked<A> here = linked(row, column, statistics);
      A own = 0;
      if (weight != 0) own = slope_of(row, column, weight, term(here.outcome), division);
      slope += own * here.slope;
      if (kCoupled) slope -= here.outcome.p * A(sums.slope - double(own));
    }
    grad[row * columns + column] = store<T>(slope);
  }

  HD void write_row_loss(int64_t row, const Sums& sums, const Division& division) const {
    if (losses && !per_element) losses[row] = A(division.of(sums.loss));
  }

 private:
  HD Linked<A> linked(int64_t row, int64_t column, const Statistics& statistics) const {
    return link(load(inputs[row * columns + column]), column, statistics);
  }

  // s_c, with the upstream gradient and the divisor in it.
  HD A slope_of(int64_t row, int64_t column, A weight, const Dual<A>& outcome,
                const Division& division) const {
    const A upstream = grad_output.at<A>(row, column) * A(division.slope());
    return product(upstream * weight, outcome.slope);
  }
};

}  // namespace culoss
