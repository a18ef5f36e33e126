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

// A share e of every target is spread evenly over its outcomes: y (1 − e) + e / outcomes.
// Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, §7.
struct Smoothing {
  double kept = 1;    // 1 − e
  double spread = 0;  // e / outcomes

  static Smoothing over(double outcomes, double e) { return {1 - e, e / outcomes}; }

  HD bool is_on() const { return spread != 0; }

  template <class A>
  HD A operator()(A y) const {
    return A(kept) * y + A(spread);
  }
};

// What both sides of an element are multiplied by.
struct Scale {
  bool is_given;  // not 1 for all
  Broadcast class_weight;
  Broadcast sample_weight;

  template <class A>
  HD A at(const Place& place) const {
    return class_weight.at<A>(place) * sample_weight.at<A>(place);
  }
};

// y · alpha for the class, nothing against it: the categorical losses.
struct TargetsOnly {
  Smoothing smoothing;  // over the classes
  Broadcast alpha;
  Scale scale;

  template <class A>
  HD A operator()(A y, const Place& place) const {
    const A share = smoothing(y);
    if (share == 0) return 0;
    const A weight = share * alpha.at<A>(place);
    return scale.is_given ? weight * scale.at<A>(place) : weight;
  }
};

// y · alpha for, (1 − y) · (1 − alpha) against: the binary losses. The source of the four losses
// reads (1 − y) as [y == 0], which differs for soft targets.
struct BothSides {
  Smoothing smoothing;  // over the two sides
  bool zero_targets;
  bool has_alpha;
  Broadcast alpha;
  bool has_pos_weight;
  Broadcast pos_weight;
  Scale scale;

  template <class A>
  HD Weights<A> operator()(A y, const Place& place) const {
    A positive = smoothing(y);
    A negative = smoothing(zero_targets ? A(y == 0) : 1 - y);
    if (has_alpha) {
      const double share = alpha.at<double>(place);  // so that 1 − alpha keeps its digits
      positive *= A(share);
      negative *= A(1 - share);
    }
    if (!scale.is_given && !has_pos_weight) return {positive, negative};
    const A both = scale.at<A>(place);
    if (positive != 0) positive *= pos_weight.at<A>(place) * both;  // not 0 · ∞
    if (negative != 0) negative *= both;
    return {positive, negative};
  }
};

}  // namespace culoss
