// The softmax link: p_c = e^x_c / Σ_j e^x_j over the columns j of a row.
#pragma once

#include <math.h>
#include <stdint.h>

#include "links.h"

namespace culoss {

// The largest logit of a row, or of a part of it, and the first column that has it.
template <class A>
struct Peak {
  A max = A(-INFINITY);
  int64_t column = -1;  // no column seen yet

  // Goes on to the next column.
  HD void pass(const Peak& next) {
    if (next.max > max || column < 0) *this = next;
  }

  friend HD Peak operator+(const Peak& a, const Peak& b) {
    if (a.column < 0) return b;
    if (b.column < 0) return a;
    return b.max > a.max || (b.max == a.max && b.column < a.column) ? b : a;
  }
};

// What the softmax needs of a row: its largest logit, and the sum of e^(x_j − max) over the *other*
// columns. Leaving the largest out keeps the digits of 1 − p for a class that is nearly certain: it
// is that sum, not 1 minus something close to 1. A NaN on any side reaches the sum.
template <class A>
struct RowStatistics {
  Peak<A> peak;
  double rest = 0;

  // The part of column `column`, with logit x, in `rest`.
  static HD double rest_of(A x, int64_t column, const Peak<A>& peak) {
    return column == peak.column ? 0 : double(exp(x - peak.max));
  }
};

// x is a logit of the row. d log p_c / dx_j = [j == c] − p_j: with q_c = 1 − p_c, the slope of the
// class itself is q_c, and every column is coupled to every other by −p_j.
struct Softmax {
  static constexpr bool kCoupled = true;
  template <class A>
  using Statistics = RowStatistics<A>;

  template <class A>
  HD Linked<A> operator()(A x, int64_t column, const RowStatistics<A>& row) const {
    const A shifted = x - row.peak.max;
    const A e = exp(shifted);
    const A total = A(1 + row.rest);
    const A other = column == row.peak.column ? A(row.rest) : A(1 + (row.rest - double(e)));
    const A log_p = e >= other ? -log1p(other / e) : shifted - log(total);
    const A q = other / total;
    return {{log_p, e / total, q}, q};
  }
};

// Probabilities stand by themselves: no statistics, no coupling.
struct RowProbability : Probability {
  static constexpr bool kCoupled = false;
  template <class A>
  struct Statistics {};

  template <class A>
  HD Linked<A> operator()(A x, int64_t, const Statistics<A>&) const {
    return positive(x);
  }
};

}  // namespace culoss
