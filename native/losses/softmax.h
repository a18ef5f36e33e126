// The softmax link: p_c = e^x_c / Σ_j e^x_j over the columns j of a row.
#pragma once

#include <math.h>
#include <stdint.h>

#include "links.h"

namespace culoss {

// Σ e^(x_j − max) over columns j of a row but one of those that have the largest logit. Leaving it
// out keeps the digits of 1 − p for a class that is nearly certain: they are in this sum, not in 1
// minus something close to 1. A NaN on any side reaches the sum.
struct Rest {
  double below = 0;   // Σ e of those that are below 1
  int64_t peaks = 0;  // how many are 1

  HD double sum() const { return peaks > 0 ? below + double(peaks - 1) : NAN; }

  template <class A>
  static HD Rest of(A e) {
    return e == 1 ? Rest{0, 1} : Rest{double(e), 0};
  }
  friend HD Rest operator+(const Rest& a, const Rest& b) {
    return {a.below + b.below, a.peaks + b.peaks};
  }
};

// What is taken from each logit. All of a part may be −∞ in a row that has others.
template <class V>
HD V base_of(V max) {
  return select<V>(max == all<V>(-INFINITY), V{}, max);
}

// The largest logit of some columns of a row and what is left of them beside it.
template <class A>
struct RowPart {
  using Rest = culoss::Rest;

  A max = A(-INFINITY);
  Rest rest;

  HD void pass(A x) { max = larger(max, x); }

  HD A base() const { return base_of(max); }

  friend HD RowPart operator+(const RowPart& a, const RowPart& b) {
    const A max = larger(a.max, b.max);
    return {max, a.under(max) + b.under(max)};
  }

 private:
  HD Rest under(A new_max) const {
    const A e = exponential(max - base_of(new_max));
    if (e == 1) return rest;
    return {(rest.below + double(rest.peaks)) * double(e), 0};
  }
};

// What the softmax needs of a row, or of several side by side.
template <class V>
struct RowStatistics {
  V base{};  // the largest logit
  V rest{};
  V log_total{};  // of Σ e^(x_j − base), which is 1 + rest
  V inverse_total = all<V>(1);

  static HD RowStatistics of(V base, V rest) {
    const V total = 1 + rest;
    return {base, rest, log_of_total(total), reciprocal(total)};
  }
  static HD RowStatistics of(const RowPart<V>& row) { return of(row.base(), V(row.rest.sum())); }
};

// x is a logit of the row. −d log p_c / dx_j = p_j − [j == c]: with q_c = 1 − p_c, the slope of the
// class itself is −q_c, and every column is coupled to every other by p_j.
template <class A, Digits kDigits = Digits::all>
struct Softmax {
  static constexpr bool kIsCoupled = true;
  template <class V>
  using Statistics = RowStatistics<V>;
  using Part = RowPart<A>;

  // e^(x − base), which sums and probabilities are made of.
  template <class V>
  static HD V exponential(V shifted) {
    return culoss::exponential<kDigits>(shifted);
  }
  template <class V, class Row>
  HD V costly(V x, const RowStatistics<Row>& row) const {
    return exponential(x - row.base);
  }

  // p and 1 − p.
  template <class V>
  struct Sides {
    V p;
    V q;
  };
  template <class V, class Row>
  HD Sides<V> sides(V e, const RowStatistics<Row>& row) const {
    // Of a class that is not the largest one, 1 is in the sum of the others.
    const V other = select<V>(e == all<V>(1), V{} + row.rest, 1 + (row.rest - e));
    return {e * row.inverse_total, other * row.inverse_total};
  }

  template <class V, class Row>
  HD Linked<V> operator()(V x, V e, const RowStatistics<Row>& row) const {
    const auto [p, q] = sides(e, row);
    const Mask<V> is_likely = q <= all<V>(A(0.5));
    const V likely = surprisal_beside<kDigits>(select<V>(is_likely, q, V{}));
    const V unlikely = row.log_total - (x - row.base);
    return {{select<V>(is_likely, likely, unlikely), p, q}, -q};
  }
};

// Probabilities stand by themselves: no statistics, no coupling.
template <class A, Digits kDigits = Digits::all>
struct RowProbability : Probability<A, kDigits> {
  static constexpr bool kIsCoupled = false;
  struct Nothing {};
  template <class V>
  using Statistics = Nothing;
  using Part = Nothing;

  template <class V>
  HD V costly(V x, const Nothing&) const {
    return x;
  }
  template <class V>
  HD Linked<V> operator()(V x, V, const Nothing&) const {
    const Mask<V> is_positive = V{} == V{};
    return link()(x, link().costly(link().clamped(x), is_positive), is_positive);
  }

 private:
  HD const Probability<A, kDigits>& link() const { return *this; }
};

}  // namespace culoss
