// The divisor of a mean where it depends on the targets: a sum over items, which an engine adds up.
#pragma once

#include "../core/call.h"

namespace culoss {

// An item is a target, for what is summed over targets, or else a row. Only what counts does:
//
//   targets    Σ weight_c · y            elements   elements; of class ids, a row of them
//   positives  number of y > 0           rows       rows
template <class Target>
struct Normalization {
  Normalizer normalizer;
  bool elements_count_alone;  // a row counts as a whole, or each element of it by itself
  Target target;
  Layout layout;
  Broadcast weight;

  HD bool is_over_targets() const {
    return normalizer == Normalizer::targets || normalizer == Normalizer::positives;
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
    const Place place = layout.at(row, y.column(k));
    if (!y.counts(place)) return 0;
    const double value = y.template at<double>(place);
    if (normalizer == Normalizer::positives) return value > 0;
    return value == 0 ? 0 : value * weight.at<double>(place);
  }

  HD double of_row(int64_t row) const {
    const auto y = target.row(row);
    int64_t counted = 0;
    for (int64_t k = 0; k < target.width(); ++k) counted += y.counts(layout.at(row, y.column(k)));
    if (normalizer == Normalizer::rows) return counted > 0;
    if (elements_count_alone) return double(counted);
    return counted > 0 ? double(layout.columns) : 0;
  }
};

}  // namespace culoss
