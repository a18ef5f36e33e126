// The divisor of a mean where it depends on the targets: a sum over items, which an engine adds up.
#pragma once

#include "../core/call.h"

namespace culoss {

// An item is a target, where each is looked at by itself, or else a row. Only what counts does:
//
//   targets    Σ weight_c · y
//   positives  how many y > 0
//   rows       how many rows
//   elements   how many elements: each by itself, or all of a row
template <class Target>
struct Normalization {
  Normalizer normalizer;
  bool elements_count_alone;  // a row counts as a whole, or each element of it by itself
  Target target;
  Layout layout;
  Broadcast weight;

  HD bool is_over_targets() const {
    return normalizer == Normalizer::targets || normalizer == Normalizer::positives ||
           (normalizer == Normalizer::elements && elements_count_alone);
  }
  HD int64_t items() const {
    return is_over_targets() ? layout.outer * target.width() * layout.inner : layout.rows();
  }

  HD double operator()(int64_t item) const {
    return is_over_targets() ? of_target(item) : of_row(item);
  }

 private:
  HD double of_target(int64_t item) const {
    const Layout targets{layout.outer, target.width(), layout.inner};
    const auto [row, k, _] = targets.at_offset(item);
    const auto y = target.row(row);
    const Place place = layout.row(row).at(y.column(k));
    if (!y.counts(place)) return 0;
    if (normalizer == Normalizer::elements) return 1;
    const double value = y.template at<double>(place);
    if (normalizer == Normalizer::positives) return value > 0;
    return value == 0 ? 0 : value * weight.at<double>(place);
  }

  HD double of_row(int64_t row) const {
    const auto y = target.row(row);
    for (int64_t k = 0; k < target.width(); ++k) {
      if (!y.counts(layout.row(row).at(y.column(k)))) continue;
      return normalizer == Normalizer::rows ? 1 : double(layout.columns);
    }
    return 0;
  }
};

}  // namespace culoss
