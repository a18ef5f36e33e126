// What crosses from the addon to an engine: the criterion, fixed once, and one call of it.
#pragma once

#include <algorithm>
#include <optional>

#include "dtype.h"
#include "views.h"

namespace culoss {

enum class TermKind : uint8_t { cross_entropy, focal };
enum class SidesKind : uint8_t { targets, both };
enum class LinkKind : uint8_t { probability, sigmoid, softmax };
enum class Reduction : uint8_t { mean, sum, none, matrix };
enum class Normalizer : uint8_t { targets, elements, rows, positives, given };
enum class Negatives : uint8_t { complement, zero_targets };
enum class Validate : uint8_t { deferred, eager, off };
enum class TargetKind : uint8_t { class_ids, dense };

struct Criterion {
  TermKind term;
  SidesKind sides;
  LinkKind link;
  Reduction reduction;
  Normalizer normalizer;
  Negatives negatives;
  Validate validate;
  double gamma;
  double clamp_low;  // probabilities only; −∞ and +∞ where there is no clamp
  double clamp_high;
  double label_smoothing;
  Ignored ignored;        // `ignoreIndex`
  double value_of_empty;  // of a mean whose divisor is 0
};

struct Call {
  Criterion criterion;
  int device;  // kCpu, or the index of a CUDA device; all memory below is there
  Layout layout;
  Dtype dtype;         // of inputs and grad
  const void* inputs;  // (outer, columns, inner), as all that has the inputs' shape
  TargetKind target_kind;
  ConstArray targets;  // class ids: (outer, inner); dense: the inputs' shape
  bool has_alpha;
  Broadcast alpha;          // (1) or (columns)
  Broadcast weight;         // (1) or (columns)
  Broadcast pos_weight;     // (1) or (columns)
  Broadcast sample_weight;  // (outer, inner) or the inputs' shape
  Broadcast divisor;        // (1), of `Normalizer::given`
  Broadcast grad_output;    // the upstream gradient, of the loss's shape
  void* loss;               // (1), (outer, inner) or the inputs' shape, of Compute<dtype>
  void* grad;               // the inputs' shape; null where only the value is wanted

  static constexpr int kCpu = -1;

  // mean and matrix divide by the normaliser, sum and none by 1.
  bool is_divided() const {
    return criterion.reduction == Reduction::mean || criterion.reduction == Reduction::matrix;
  }
  // mean and sum give one number, none and matrix one for each row or element.
  bool is_scalar() const {
    return criterion.reduction == Reduction::mean || criterion.reduction == Reduction::sum;
  }

  // The divisor where it takes no look at the targets: a class id counts as a target of 1. Ids that
  // are not validated may be none, and count nowhere.
  std::optional<double> known_divisor() const {
    if (!is_divided()) return 1;
    const bool ids = target_kind == TargetKind::class_ids;
    const bool is_validated = device == kCpu || criterion.validate != Validate::off;
    const bool all_count = !criterion.ignored.any && (is_validated || !ids);
    switch (criterion.normalizer) {
      case Normalizer::given:
        if (divisor.array.memory == nullptr) return divisor.number;
        break;
      case Normalizer::targets:
        if (all_count && ids && weight.array.memory == nullptr) {
          return double(layout.rows()) * weight.number;
        }
        break;
      case Normalizer::elements:
        if (all_count) return double(layout.rows()) * double(layout.columns);
        break;
      case Normalizer::rows:
        if (all_count) return double(layout.rows());
        break;
      case Normalizer::positives:
        if (all_count && ids) return std::max(least_divisor(), double(layout.rows()));
        break;
    }
    return std::nullopt;
  }
  double least_divisor() const {
    return criterion.normalizer == Normalizer::positives ? 1 : -INFINITY;
  }
};

}  // namespace culoss
