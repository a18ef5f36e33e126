// The softmax link: p_c = e^x_c / Σ_j e^x_j over the columns j of a row.
#pragma once

#include <math.h>
#include <stdint.h>

#include "links.h"

namespace culoss {

// What the softmax needs of a row, or of a part of it: the largest logit, its column, and the sum
// of e^(x_j − max) over the *other* columns. Leaving the largest out keeps the digits of 1 − p for
// a class that is nearly certain: it is that sum, not 1 minus something close to 1.
template <class A>
struct RowStatistics {
  double rest = 0;
  A max = A(-INFINITY);
  int64_t argmax = -1;  // no column seen yet

  // Merges two parts. Milakov & Gimelshein, Online normalizer calculation for softmax, 2018.
  friend HD RowStatistics operator+(const RowStatistics& a, const RowStatistics& b) {
    if (a.argmax < 0) return b;
    if (b.argmax < 0) return a;
    // A NaN on either side fails the comparisons and reaches `rest` through exp.
    const bool b_leads = b.max > a.max || (b.max == a.max && b.argmax < a.argmax);
    const RowStatistics& high = b_leads ? b : a;
    const RowStatistics& low = b_leads ? a : b;
    // A rescaled sum is rescaled again with every new maximum: its error must not add up.
    const double scale = low.max == high.max ? 1
                         : low.rest == 0     ? double(exp(low.max - high.max))
                                             : exp(double(low.max) - double(high.max));
    return {high.rest + (1 + low.rest) * scale, high.max, high.argmax};
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
    const A shifted = x - row.max;
    const A e = exp(shifted);
    const A total = A(1 + row.rest);
    const A other = column == row.argmax ? A(row.rest) : A(1 + (row.rest - double(e)));
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
