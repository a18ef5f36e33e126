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
// the last part is there for coupled links only. An engine takes these steps a row: `counts` over
// the columns that can hold a target, and if one does, `peak` and `rest` over all columns, `visit`
// over those that can have a loss, after `write_no_loss` over all if that leaves gaps, and
// `write_grad` over all; else `write_nothing` over all.
template <class T, class Term, class Link, class Target>
struct Rowwise {
  using A = Compute<T>;
  using Targets = typename Target::Row;
  using Statistics = typename Link::template Statistics<A>;
  static constexpr bool kCoupled = Link::kCoupled;

  Term term;
  Link link;
  TargetsOnly sides;
  Target target;
  Layout layout;
  Broadcast grad_output;
  const T* inputs;  // the layout's shape
  T* grad;          // the layout's shape, or null
  A* losses;        // (rows), or the layout's shape if `per_element`, or null
  bool per_element;

  // Sums over the columns of a row, in float64: adding zeros to one s_c changes none of its bits.
  struct Sums {
    double loss = 0;
    double slope = 0;         // Σ_c s_c
    bool has_weight = false;  // of any class: else the row has no gradient, whatever its inputs are

    friend HD Sums operator+(const Sums& a, const Sums& b) {
      return {a.loss + b.loss, a.slope + b.slope, a.has_weight || b.has_weight};
    }
  };

  // The columns that can have a loss: those of the targets, or all that these are smoothed over.
  HD int64_t width() const { return sides.smoothing.is_on() ? layout.columns : target.width(); }
  HD int64_t column(const Targets& targets, int64_t k) const {
    return sides.smoothing.is_on() ? k : targets.column(k);
  }

  HD bool counts(const RowLayout& row, const Targets& targets, int64_t k) const {
    return targets.counts(row.at(targets.column(k)));
  }

  // Statistics of coupled links: `peak`, and then `rest`, are sums over the columns of a row.
  HD Peak<A> peak(const RowLayout& row, int64_t column) const {
    return {load(inputs[row.at(column).offset]), column};
  }
  HD double rest(const RowLayout& row, int64_t column, const Peak<A>& peak) const {
    return Statistics::rest_of(load(inputs[row.at(column).offset]), column, peak);
  }

  // The part of class `column` in the sums of its row; writes its loss if one per element is
  // wanted.
  HD Sums visit(const RowLayout& row, int64_t column, const Targets& targets,
                const Statistics& statistics, const Division& division) const {
    const Place place = row.at(column);
    const A weight = sides(targets.template at<A>(place), place);
    Sums sums;
    if (weight != 0) {
      const Dual<A> outcome = term(linked(place, statistics).outcome);
      sums.loss += weight * outcome.value;
      sums.slope += slope_of(place, weight, outcome, division);
      sums.has_weight = true;
    }
    if (per_element) losses[place.offset] = A(division.of(sums.loss));
    return sums;
  }

  HD void write_grad(const RowLayout& row, int64_t column, const Targets& targets,
                     const Statistics& statistics, const Sums& sums,
                     const Division& division) const {
    const Place place = row.at(column);
    const A weight = sides(targets.template at<A>(place), place);
    A slope = 0;
    if (weight != 0 || (kCoupled && sums.has_weight)) {
      const Linked<A> here = linked(place, statistics);
      A own = 0;
      if (weight != 0) own = slope_of(place, weight, term(here.outcome), division);
      slope += own * here.slope;
      if (kCoupled) slope -= here.outcome.p * A(sums.slope - double(own));
    }
    grad[place.offset] = store<T>(slope);
  }

  HD void write_row_loss(const RowLayout& row, const Sums& sums, const Division& division) const {
    if (losses && !per_element) losses[row.row] = A(division.of(sums.loss));
  }

  // Whether elements have losses that are not visited; they are written first.
  HD bool has_gaps() const { return per_element && width() < layout.columns; }
  HD void write_no_loss(const RowLayout& row, int64_t column, const Division& division) const {
    losses[row.at(column).offset] = A(division.of(0));
  }

  // Of a row that does not count: no loss, and a gradient of 0, whatever its inputs are.
  HD void write_nothing(const RowLayout& row, int64_t column, const Division& division) const {
    if (per_element) write_no_loss(row, column, division);
    if (grad) write_no_grad(row, column);
  }
  HD void write_no_grad(const RowLayout& row, int64_t column) const {
    grad[row.at(column).offset] = store<T>(A(0));
  }

 private:
  HD Linked<A> linked(const Place& place, const Statistics& statistics) const {
    return link(load(inputs[place.offset]), place.column, statistics);
  }

  // s_c, with the upstream gradient and the divisor in it.
  HD A slope_of(const Place& place, A weight, const Dual<A>& outcome,
                const Division& division) const {
    const A upstream = grad_output.at<A>(place) * A(division.slope());
    return product(upstream * weight, outcome.slope);
  }
};

}  // namespace culoss
