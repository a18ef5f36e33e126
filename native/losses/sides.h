// Side rules: how much of an element's target counts for the class and how much against it.
#pragma once

#include "../core/views.h"

namespace culoss {

// The weight of the outcome "is of this class" and of the outcome "is not".
template <class A>
struct Weights {
  A positive;
  A negative;
};

// y · alpha for the class, nothing against it: the categorical losses.
struct TargetsOnly {
  bool has_alpha;
  Broadcast alpha;

  template <class A>
  HD A operator()(A y, int64_t column) const {
    return has_alpha && y != 0 ? y * alpha.at<A>(0, column) : y;
  }
};

// y · alpha for, (1 − y) · (1 − alpha) against: the binary losses. The source of the four losses
// reads (1 − y) as [y == 0], which differs for soft targets.
struct BothSides {
  bool has_alpha;
  bool zero_targets;
  Broadcast alpha;

  template <class A>
  HD Weights<A> operator()(A y, int64_t column) const {
    const A against = zero_targets ? A(y == 0) : 1 - y;
    if (!has_alpha) return {y, against};
    const double share = alpha.at<double>(0, column);  // so that 1 − alpha keeps its digits
    return {A(share) * y, A(1 - share) * against};
  }
};

}  // namespace culoss
