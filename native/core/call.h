// What crosses from the addon to an engine: the criterion, fixed once, and one call of it.
#pragma once

#include "dtype.h"
#include "views.h"

namespace culoss {

enum class TermKind : uint8_t { cross_entropy, focal };
enum class SidesKind : uint8_t { targets, both };
enum class LinkKind : uint8_t { probability, sigmoid, softmax };
enum class Reduction : uint8_t { mean, sum, none, matrix };
enum class Normalizer : uint8_t { targets, elements };
enum class Negatives : uint8_t { complement, zero_targets };
enum class TargetKind : uint8_t { class_ids, dense };

struct Criterion {
  TermKind term;
  SidesKind sides;
  LinkKind link;
  Reduction reduction;
  Normalizer normalizer;
  Negatives negatives;
  double gamma;
  double clamp_low;  // probabilities only; −∞ and +∞ where there is no clamp
  double clamp_high;
  double value_of_empty;  // of a mean whose divisor is 0
};

struct Call {
  Criterion criterion;
  int device;  // kCpu, or the index of a CUDA device; all memory below is there
  int64_t rows;
  int64_t columns;
  Dtype dtype;         // of inputs and grad
  const void* inputs;  // (rows, columns)
  TargetKind target_kind;
  ConstArray targets;  // class ids: (rows); dense: (rows, columns)
  bool has_alpha;
  Broadcast alpha;        // (1) or (columns)
  Broadcast grad_output;  // the upstream gradient, of the loss's shape
  void* loss;             // (1), (rows) or (rows, columns) of Compute<dtype>
  void* grad;             // (rows, columns); null where only the value is wanted

  static constexpr int kCpu = -1;

  // mean and matrix divide by the normaliser, sum and none by 1.
  bool is_divided() const {
    return criterion.reduction == Reduction::mean || criterion.reduction == Reduction::matrix;
  }
  // mean and sum give one number, none and matrix one for each row or element.
  bool is_scalar() const {
    return criterion.reduction == Reduction::mean || criterion.reduction == Reduction::sum;
  }
  bool divisor_is_sum_of_targets() const {
    return is_divided() && criterion.normalizer == Normalizer::targets &&
           target_kind == TargetKind::dense;
  }
  // The divisor where it is not that sum: a class id counts as a target of 1.
  double divisor_from_shape() const {
    if (!is_divided()) return 1;
    const bool per_row = criterion.normalizer == Normalizer::targets;
    return per_row ? double(rows) : double(rows) * double(columns);
  }
};

}  // namespace culoss
