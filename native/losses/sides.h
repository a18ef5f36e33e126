// Side rules: how much of an element's target counts for the class and how much against it.
#pragma once

#include <utility>

#include "../core/lanes.h"
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

  template <class V>
  HD V operator()(V y) const {
    return kept * y + spread;
  }
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
  bool is_uniform() const { return class_weight.is_number() && sample_weight.is_number(); }
};

// y · alpha for the class, nothing against it: the categorical losses.
template <class A>
struct TargetsOnly {
  Smoothing<A> smoothing;  // over the classes
  Broadcast alpha;
  Scale<A> scale;

  HD A operator()(A y, const Place& place) const {
    if (smoothing(y) == 0) return 0;  // no need to look at the others
    return (*this)(y, alpha.at<A>(place), scale.is_given ? scale.at(place) : A(1));
  }
  template <class V>
  HD V operator()(V y, V alpha, V scale) const {
    const V share = smoothing(y);
    return select<V>(share == V{}, V{}, share * alpha * scale);  // not 0 · ∞
  }

  bool is_uniform() const { return alpha.is_number() && scale.is_uniform(); }
};

// y for the class, 1 − y against it. The source of the four losses reads (1 − y) as [y == 0], which
// differs for soft targets.
template <class A>
struct Shares {
  Smoothing<A> smoothing;  // over the two sides
  bool zero_targets = false;

  template <class V>
  HD Weights<V> operator()(V y) const {
    const V against = zero_targets ? select<V>(y == V{}, all<V>(1), V{}) : 1 - y;
    return {smoothing(y), smoothing(against)};
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

  // What the two sides of an element are multiplied by.
  template <class V>
  struct Factors {
    V alpha;
    V complement;  // 1 − alpha, computed of a double, so that it keeps its digits
    V pos_weight;
    V both;
  };
  static HD double complement_of(double alpha) { return 1 - alpha; }

  template <class V>
  HD Weights<V> operator()(V y, const Factors<V>& factors) const {
    auto [positive, negative] = shares(y);
    if (has_alpha) {
      positive = positive * factors.alpha;
      negative = negative * factors.complement;
    }
    if (!scale.is_given && !has_pos_weight) return {positive, negative};
    return {select<V>(positive == V{}, V{}, positive * (factors.pos_weight * factors.both)),
            select<V>(negative == V{}, V{}, negative * factors.both)};  // not 0 · ∞
  }
  HD Weights<A> operator()(A y, const Place& place) const {
    Factors<A> factors{1, 1, 1, 1};
    if (has_alpha) {
      const double share = alpha.at<double>(place);
      factors.alpha = A(share);
      factors.complement = A(complement_of(share));
    }
    if (scale.is_given || has_pos_weight) {
      factors.pos_weight = pos_weight.at<A>(place);
      factors.both = scale.at(place);
    }
    return (*this)(y, factors);
  }

  bool is_uniform() const {
    return alpha.is_number() && pos_weight.is_number() && scale.is_uniform();
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

  HD Weights<A> operator()(A y, const Place&) const { return (*this)(y); }
  template <class V>
  HD Weights<V> operator()(V y) const {
    const auto [for_it, against] = shares(y);
    return {select<V>(for_it == V{}, V{}, for_it * positive),
            select<V>(against == V{}, V{}, against * negative)};  // not 0 · ∞
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

  template <class V>
  HD Weights<V> operator()(V y) const {
    return {select<V>(y == V{}, V{}, all<V>(positive)), select<V>(y == V{}, all<V>(negative), V{})};
  }
};

}  // namespace culoss
