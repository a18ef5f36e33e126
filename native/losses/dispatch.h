// From the enumerations of a call to the one template instance that computes it.
#pragma once

#include "../core/call.h"
#include "elementwise.h"
#include "normalizer.h"
#include "rowwise.h"

namespace culoss {

template <class F>
void with_term(const Criterion& criterion, F&& f) {
  switch (criterion.term) {
    case TermKind::cross_entropy:
      return f(CrossEntropy{});
    case TermKind::focal:
      return f(Focal{criterion.gamma});
  }
  throw Error("ERR_OPTION", "term: expected a known term");
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

// Calls `engine.elementwise` or `engine.rowwise` with the functor of this call.
template <class T, class Engine>
void with_loss(const Call& call, Engine&& engine) {
  const Criterion& criterion = call.criterion;
  const Layout layout = call.layout;
  const T* inputs = static_cast<const T*>(call.inputs);
  T* grad = static_cast<T*>(call.grad);
  auto* losses = call.is_scalar() ? nullptr : static_cast<Compute<T>*>(call.loss);
  const bool per_element = criterion.reduction == Reduction::matrix;
  const bool is_scaled = !call.weight.is_one() || !call.sample_weight.is_one();
  const Scale scale{is_scaled, call.weight, call.sample_weight};
  const bool is_both = criterion.sides == SidesKind::both;
  const Smoothing smoothing =
      Smoothing::over(is_both ? 2 : double(layout.columns), criterion.label_smoothing);

  with_term(criterion, [&]<class Term>(Term term) {
    with_target(call, [&]<class Target>(Target target) {
      const auto both = [&]<class Link>(Link link) {
        const bool zero_targets = criterion.negatives == Negatives::zero_targets;
        engine.elementwise(Elementwise<T, Term, Link, Target>{
            term, link,
            BothSides{smoothing, zero_targets, call.has_alpha, call.alpha,
                      !call.pos_weight.is_one(), call.pos_weight, scale},
            target, layout, call.grad_output, inputs, grad, losses});
      };
      const auto targets_only = [&]<class Link>(Link link) {
        engine.rowwise(Rowwise<T, Term, Link, Target>{
            term, link, TargetsOnly{smoothing, call.alpha, scale}, target, layout, call.grad_output,
            inputs, grad, losses, per_element});
      };
      const double low = criterion.clamp_low, high = criterion.clamp_high;
      switch (criterion.link) {
        case LinkKind::probability:
          if (is_both) return both(Probability::with_floors(low, high));
          return targets_only(RowProbability{Probability::without_floors(low, high)});
        case LinkKind::sigmoid:
          if (is_both) return both(Sigmoid{});
          break;
        case LinkKind::softmax:
          if (!is_both) return targets_only(Softmax{});
          break;
      }
      throw Error("ERR_OPTION", "link: a sigmoid goes with both sides, a softmax with targets");
    });
  });
}

}  // namespace culoss
