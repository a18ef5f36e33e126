// From the enumerations of a call to the one template instance that computes it.
#pragma once

#include "../core/call.h"
#include "elementwise.h"
#include "normalizer.h"
#include "rowwise.h"

namespace culoss {

// Calls `f` with the term of a criterion: the cheapest one.
template <class A, class F>
void with_term(const Criterion& criterion, F&& f) {
  const double gamma = criterion.gamma;
  switch (criterion.term) {
    case TermKind::cross_entropy:
      return f(CrossEntropy{});
    case TermKind::focal:
      if (gamma == 0) return f(CrossEntropy{});
      return gamma == 2 ? f(Focal<Square>{}) : f(Focal<RealPower<A>>{{A(gamma)}});
  }
  throw Error("ERR_OPTION", "term: expected a known term");
}

// One term for all criteria, where it is evaluated seldom or among costlier things.
template <class A>
Focal<RealPower<A>> any_term(const Criterion& criterion) {
  return {{criterion.term == TermKind::focal ? A(criterion.gamma) : A(0)}};
}

// Dense targets have a mask instead of an id that is ignored. The binary losses ignore elements of
// that value; the categorical ones rows of it, or of zeros, which is what one-hot makes of such an
// id.
template <class F>
void with_target(const Call& call, F&& f) {
  Ignored ignored = call.criterion.ignored;
  switch (call.target_kind) {
    case TargetKind::class_ids:
      return f(ClassIds{call.targets, call.layout.columns, ignored});
    case TargetKind::dense:
      ignored.zero = call.criterion.sides == SidesKind::targets;
      return f(Dense{call.targets, call.layout.columns, ignored});
  }
  throw Error("ERR_OPTION", "targets: expected class ids or dense targets");
}

inline AnyTarget any_target(const Call& call) {
  AnyTarget any{call.target_kind == TargetKind::dense, {}, {}};
  with_target(call, [&]<class Target>(Target target) {
    if constexpr (std::is_same_v<Target, Dense>) {
      any.dense = target;
    } else {
      any.ids = target;
    }
  });
  return any;
}

// Calls `f` with the sum that makes the divisor of this call.
template <class F>
void with_normalization(const Call& call, F&& f) {
  const bool elements_count_alone =
      call.target_kind == TargetKind::dense && call.criterion.sides == SidesKind::both;
  with_target(call, [&]<class Target>(Target target) {
    f(Normalization<Target>{call.criterion.normalizer, elements_count_alone, target, call.layout,
                            call.weight});
  });
}

// How much each side of an element weighs.

template <class A>
Scale<A> scale_of(const Call& call) {
  const bool is_given = !call.weight.is_one() || !call.sample_weight.is_one();
  return {is_given, call.weight, call.sample_weight};
}

template <class A>
BothSides<A> both_sides_of(const Call& call) {
  const Shares<A> shares{Smoothing<A>::over(2, call.criterion.label_smoothing),
                         call.criterion.negatives == Negatives::zero_targets};
  return {shares,          call.has_alpha,   call.alpha, !call.pos_weight.is_one(),
          call.pos_weight, scale_of<A>(call)};
}

template <class A>
TargetsOnly<A> targets_only_of(const Call& call) {
  const double columns = double(call.layout.columns);
  return {Smoothing<A>::over(columns, call.criterion.label_smoothing), call.alpha,
          scale_of<A>(call)};
}

// From here on, what is hot has an instance of its own, and the rest shares one.

// Whether elements have an upstream gradient of their own.
inline bool has_upstreams(const Call& call) { return call.grad && !call.grad_output.is_number(); }

template <class T, class Link, class Engine>
void with_both_sides(const Call& call, const Link& link, Engine&& engine) {
  using A = Compute<T>;
  const Criterion& criterion = call.criterion;
  const auto general = both_sides_of<A>(call);
  const auto& shares = general.shares;
  const auto run = [&]<class Term, class Sides, class Target>(Term term, const Sides& sides,
                                                              const Target& target, Layout layout) {
    engine.elementwise(Elementwise<T, Term, Link, Sides, Target>{
        term, link, sides, target, layout, call.grad_output, static_cast<const T*>(call.inputs),
        static_cast<T*>(call.grad), call.is_scalar() ? nullptr : static_cast<A*>(call.loss)});
  };
  const bool has_ids = call.target_kind == TargetKind::class_ids;
  // On a device losses are written by the general instance alone.
  const bool is_alike = call.is_scalar() || (call.device == Call::kCpu && !has_upstreams(call));
  if (!general.is_uniform() || !is_alike || (has_ids && shares.smoothing.is_on())) {
    return run(any_term<A>(criterion), general, any_target(call), call.layout);
  }
  const auto uniform = UniformSides<A>::of(general);
  with_term<A>(criterion, [&](auto term) {
    with_target(call, [&]<class Target>(const Target& target) {
      if constexpr (std::is_same_v<Target, ClassIds>) {
        run(term, HardSides<A>::of(uniform), target, call.layout);
      } else {
        // Its place tells nothing of an element: all are one row.
        const int64_t elements = call.layout.elements();
        run(term, uniform, target, Layout{elements > 0, std::max<int64_t>(1, elements), 1});
      }
    });
  });
}

template <class T, class Link, class Engine>
void with_targets_only(const Call& call, const Link& link, Engine&& engine) {
  using A = Compute<T>;
  const Criterion& criterion = call.criterion;
  const auto sides = targets_only_of<A>(call);
  const bool per_element = criterion.reduction == Reduction::matrix;
  const auto run = [&]<class Term, class Target>(Term term, const Target& target) {
    engine.rowwise(Rowwise<T, Term, Link, Target>{
        term, link, sides, target, call.layout, call.grad_output,
        static_cast<const T*>(call.inputs), static_cast<T*>(call.grad),
        call.is_scalar() ? nullptr : static_cast<A*>(call.loss), per_element});
  };
  const AnyTarget target = any_target(call);
  if (!target.is_dense && !sides.smoothing.is_on() && !per_element) {
    return run(any_term<A>(criterion), target.ids);
  }
  if (criterion.term == TermKind::cross_entropy) return run(CrossEntropy{}, target);
  run(any_term<A>(criterion), target);
}

// Calls `both` or `targets` with the link of a criterion, as its sides are.
template <class T, class Both, class Targets>
void with_link(const Criterion& criterion, Both&& both, Targets&& targets) {
  using A = Compute<T>;
  constexpr Digits kDigits = sizeof(T) == 2 ? Digits::few : Digits::all;
  const bool is_both = criterion.sides == SidesKind::both;
  const double low = criterion.clamp_low, high = criterion.clamp_high;
  switch (criterion.link) {
    case LinkKind::probability:
      if (is_both) return both(Probability<A, kDigits>::with_floors(low, high));
      return targets(
          RowProbability<A, kDigits>{Probability<A, kDigits>::without_floors(low, high)});
    case LinkKind::sigmoid:
      if (is_both) return both(Sigmoid<A, kDigits>{});
      break;
    case LinkKind::softmax:
      if (!is_both) return targets(Softmax<A, kDigits>{});
      break;
  }
  throw Error("ERR_OPTION", "link: a sigmoid goes with both sides, a softmax with targets");
}

// Calls `engine.elementwise` or `engine.rowwise` with the functor of this call.
template <class T, class Engine>
void with_loss(const Call& call, Engine&& engine) {
  with_link<T>(
      call.criterion, [&](const auto& link) { with_both_sides<T>(call, link, engine); },
      [&](const auto& link) { with_targets_only<T>(call, link, engine); });
}

}  // namespace culoss
