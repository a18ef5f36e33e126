// The categorical losses: a row asks one question, "which class?".
#pragma once

#include "../core/call.h"
#include "../core/product.h"
#include "division.h"
#include "sides.h"
#include "softmax.h"
#include "term.h"

namespace culoss {

// With w_c the weight of class c and u_c = −log p_c, the loss of a row is Σ_c w_c term(u_c), and
//
//   d loss / d x_j = s_j d u_j / d x_j + p_j Σ_{c≠j} s_c      with s_c = w_c term'(u_c);
//
// the last part is there for coupled links only. An engine takes these steps a row: the statistics
// of all columns, if the link is coupled; the sum of `visit` over the columns that can have a loss;
// `slope` of all. A row of which no target counts has no loss and no slope, whatever its inputs
// are.
//
// `Target` is `ClassIds` where at most one column of a row has a loss and none other's is asked
// for; else `AnyTarget`, of which every column may have one.
template <class T, class Term, class Link, class Target>
struct Rowwise {
  using Stored = T;
  using A = Compute<T>;
  using Targets = typename Target::Row;
  template <class V>
  using StatisticsOf = typename Link::template Statistics<V>;
  using Statistics = StatisticsOf<A>;
  using Part = typename Link::Part;
  static constexpr bool kIsCoupled = Link::kIsCoupled;
  static constexpr bool kIsSingle = std::is_same_v<Target, ClassIds>;
  // Elements of a row can be visited one by one: nothing couples them, and at most one has a loss.
  static constexpr bool kIsLone = kIsSingle && !kIsCoupled;

  Term term;
  Link link;
  TargetsOnly<A> sides;
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

  HD bool counts(const RowLayout& row, const Targets& targets) const {
    if (!target.may_skip_rows()) return true;
    for (int64_t k = 0; k < target.width(); ++k) {
      if (targets.template label<A>(row.at(targets.column(k))).counts) return true;
    }
    return false;
  }

  // What a column that has a loss is to its row.
  template <class V>
  struct Column {
    V loss;
    V own;    // s_c
    V slope;  // d u_c / d x_c
    V p;
  };
  // `costly` is the link's. Of a weight of 0, nothing here means anything.
  template <class V, class Row>
  HD Column<V> column(V x, V costly, V weight, V upstream, const Row& statistics) const {
    const Linked<V> here = link(x, costly, statistics);
    const Dual<V> outcome = term(here.outcome);
    return {weight * outcome.value, product(upstream * weight, outcome.slope), here.slope,
            here.outcome.p};
  }
  // The derivative of the loss of the row by a column which others are coupled to, of its s_c, p_c
  // and d u_c / d x_c, and of the Σ s_c of the others.
  template <class V>
  HD V slope_of(V own, V p, V slope, V others) const {
    return own * slope + p * others;
  }
  // The same of a column without weight, of its `costly`. `all` is Σ s_c.
  template <class V, class Row, class Total>
  HD V slope_beside(V costly, const Row& statistics, Total all) const {
    return costly * (statistics.inverse_total * all);
  }
  // With the divisor in it.
  HD A upstream(const Place& place, A slope_of_division) const {
    return grad_output.at<A>(place) * slope_of_division;
  }

  // One column, and the derivative by it if it is the only one that has a loss.
  struct Visit {
    Sums sums;
    A slope = 0;
  };
  HD Visit visit(A x, const Label<A>& label, const Place& place, const Statistics& statistics,
                 A slope_of_division) const {
    const A weight = sides(label.y, place);
    if (weight == 0) return {};
    const Column<A> here = column_at(x, weight, place, statistics, slope_of_division);
    return {{here.loss, here.own, true}, here.own * here.slope};
  }

  // The derivative of the loss of its row by a column. Of a row without any weight, it is 0.
  HD A slope(A x, const Label<A>& label, const Place& place, const Statistics& statistics,
             const Sums& sums, A slope_of_division) const {
    const A weight = sides(label.y, place);
    if constexpr (kIsCoupled) {
      if (weight == 0) return slope_beside(link.costly(x, statistics), statistics, A(sums.slope));
    }
    if (weight == 0) return 0;
    const Column<A> here = column_at(x, weight, place, statistics, slope_of_division);
    if constexpr (!kIsCoupled) return here.own * here.slope;
    return slope_of(here.own, here.p, here.slope, difference(sums.slope, here.own));
  }
  HD A row_loss(const Sums& sums, const Division& division) const {
    return A(division.of(sums.loss));
  }

 private:
  HD Column<A> column_at(A x, A weight, const Place& place, const Statistics& statistics,
                         A slope_of_division) const {
    return column(x, link.costly(x, statistics), weight, upstream(place, slope_of_division),
                  statistics);
  }
};

}  // namespace culoss
