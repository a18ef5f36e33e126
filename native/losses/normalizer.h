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

  // Whether all columns are items, and none has a weight of its own: then any place will do.
  HD bool is_anywhere() const {
    return is_over_targets() && target.width() == layout.columns && weight.array.memory == nullptr;
  }
  HD double of_label(const Label<double>& label, const Place& place) const {
    if (!label.counts) return 0;
    if (normalizer == Normalizer::elements) return 1;
    if (normalizer == Normalizer::positives) return label.y > 0;
    return label.y == 0 ? 0 : label.y * weight.at<double>(place);
  }

 private:
  HD double of_target(int64_t item) const {
    if (is_anywhere()) {
      const Place place{item, 0, item};
      return of_label(target.row(item).template label<double>(place), place);
    }
    const Layout targets{layout.outer, target.width(), layout.inner};
    const auto [row, k, _] = targets.at_offset(item);
    const auto y = target.row(row);
    const Place place = layout.row(row).at(y.column(k));
    return of_label(y.template label<double>(place), place);
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
