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
    // Where all columns are items, and none has a weight of its own, any place will do.
    const bool is_anywhere = target.width() == layout.columns && weight.array.memory == nullptr;
    const Layout targets{layout.outer, target.width(), layout.inner};
    const auto [row, k, _] = is_anywhere ? Place{item, 0, item} : targets.at_offset(item);
    const auto y = target.row(row);
    const Place place = is_anywhere ? Place{row, k, item} : layout.row(row).at(y.column(k));
    const auto [value, counts] = y.template label<double>(place);
    if (!counts) return 0;
    if (normalizer == Normalizer::elements) return 1;
    if (normalizer == Normalizer::positives) return value > 0;
    return value == 0 ? 0 : value * weight.at<double>(place);
  }

  HD double of_row(int64_t row) const {
    const auto y = target.row(row);
    for (int64_t k = 0; k < target.width(); ++k) {
      if (!y.template label<double>(layout.row(row).at(y.column(k))).counts) continue;
      return normalizer == Normalizer::rows ? 1 : double(layout.columns);
    }
    return 0;
  }
};

}  // namespace culoss
