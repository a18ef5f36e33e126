// From the enumerations of a call to the one template instance that computes it.
#pragma once

#include "../core/call.h"
#include "elementwise.h"
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

template <class F>
void with_target(const Call& call, F&& f) {
  switch (call.target_kind) {
    case TargetKind::class_ids:
      return f(ClassIds{call.targets, call.columns});
    case TargetKind::dense:
      return f(Dense{call.targets, call.columns});
  }
  throw Error("ERR_OPTION", "targets: expected class ids or dense targets");
}

// Calls `engine.elementwise` or `engine.rowwise` with the functor of this call.
template <class T, class Engine>
void with_loss(const Call& call, Engine&& engine) {
  const Criterion& criterion = call.criterion;
  const T* inputs = static_cast<const T*>(call.inputs);
  T* grad = static_cast<T*>(call.grad);
  auto* losses = call.is_scalar() ? nullptr : static_cast<Compute<T>*>(call.loss);
  const bool per_element = criterion.reduction == Reduction::matrix;

  with_term(criterion, [&]<class Term>(Term term) {
    with_target(call, [&]<class Target>(Target target) {
      const auto both = [&]<class Link>(Link link) {
        engine.elementwise(Elementwise<T, Term, Link, Target>{
            term, link,
            BothSides{call.has_alpha, criterion.negatives == Negatives::zero_targets, call.alpha},
            target, call.grad_output, inputs, grad, losses, call.rows, call.columns});
      };
      const auto targets_only = [&]<class Link>(Link link) {
        engine.rowwise(Rowwise<T, Term, Link, Target>{
            term, link, TargetsOnly{call.has_alpha, call.alpha}, target, call.grad_output, inputs,
            grad, losses, per_element, call.rows, call.columns});
      };
      const double low = criterion.clamp_low, high = criterion.clamp_high;
      const bool is_both = criterion.sides == SidesKind::both;
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
