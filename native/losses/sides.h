// Side rules: how much of an element's target counts for the class and how much against it.
#pragma once

#include <utility>

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
template <class A>
struct Smoothing {
  A kept = 1;    // 1 − e
  A spread = 0;  // e / outcomes

  static Smoothing over(double outcomes, double e) { return {A(1 - e), A(e / outcomes)}; }

  HD bool is_on() const { return spread != 0; }

  HD A operator()(A y) const { return kept * y + spread; }
};

// What both sides of an element are multiplied by.
template <class A>
struct Scale {
  bool is_given;  // not 1 for all
  Broadcast class_weight;
  Broadcast sample_weight;

  HD A at(const Place& place) const {
    return class_weight.at<A>(place) * sample_weight.at<A>(place);
  }
};

// y · alpha for the class, nothing against it: the categorical losses.
template <class A>
struct TargetsOnly {
  Smoothing<A> smoothing;  // over the classes
  Broadcast alpha;
  Scale<A> scale;

  HD A operator()(A y, const Place& place) const {
    const A share = smoothing(y);
    if (share == 0) return 0;
    const A weight = share * alpha.at<A>(place);
    return scale.is_given ? weight * scale.at(place) : weight;
  }
};

// y for the class, 1 − y against it. The source of the four losses reads (1 − y) as [y == 0], which
// differs for soft targets.
template <class A>
struct Shares {
  Smoothing<A> smoothing;  // over the two sides
  bool zero_targets = false;

  HD Weights<A> operator()(A y) const {
    return {smoothing(y), smoothing(zero_targets ? A(y == 0) : 1 - y)};
  }
};

// y · alpha for, (1 − y) · (1 − alpha) against: the binary losses.
template <class A>
struct BothSides {
  static constexpr bool kIsUniform = false;
  static constexpr bool kIsHard = false;

  Shares<A> shares;
  bool has_alpha;
  Broadcast alpha;
  bool has_pos_weight;
  Broadcast pos_weight;
  Scale<A> scale;

  HD Weights<A> operator()(A y, const Place& place) const {
    auto [positive, negative] = shares(y);
    if (has_alpha) {
      const double share = alpha.at<double>(place);  // so that 1 − alpha keeps its digits
      positive *= A(share);
      negative *= A(1 - share);
    }
    if (!scale.is_given && !has_pos_weight) return {positive, negative};
    const A both = scale.at(place);
    if (positive != 0) positive *= pos_weight.at<A>(place) * both;  // not 0 · ∞
    if (negative != 0) negative *= both;
    return {positive, negative};
  }

  bool is_uniform() const {
    const auto is_number = [](const Broadcast& of) { return of.array.memory == nullptr; };
    return is_number(alpha) && is_number(pos_weight) && is_number(scale.class_weight) &&
           is_number(scale.sample_weight);
  }
};

// The same where nothing depends on the element: what the two sides are multiplied by, known before
// the call.
template <class A>
struct UniformSides {
  static constexpr bool kIsUniform = true;
  static constexpr bool kIsHard = false;

  Shares<A> shares;
  A positive;
  A negative;

  static UniformSides of(BothSides<A> sides) {
    const auto shares = std::exchange(sides.shares, {});
    return {shares, sides(A(1), Place{}).positive, sides(A(0), Place{}).negative};
  }

  HD Weights<A> operator()(A y, const Place&) const {
    const auto [for_it, against] = shares(y);
    return {for_it == 0 ? 0 : for_it * positive,
            against == 0 ? 0 : against * negative};  // not 0 · ∞
  }
};

// The same of targets that are 0 or 1, and not smoothed: one side has all the weight.
template <class A>
struct HardSides {
  static constexpr bool kIsUniform = true;
  static constexpr bool kIsHard = true;

  A positive;
  A negative;

  static HardSides of(const UniformSides<A>& sides) { return {sides.positive, sides.negative}; }
};

}  // namespace culoss
