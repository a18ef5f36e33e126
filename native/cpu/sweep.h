// What each class contributes to a focal loss, for many γ in one pass over the inputs.
#pragma once

#include <span>

#include "../core/call.h"

namespace culoss::cpu {

// What a table of a sweep holds for each side and class, in this order: how many targets there are,
// what they weigh, and the undivided loss for each γ. The first side is "is of this class".
struct SweepTable {
  static constexpr int64_t kSides = 2;
  static constexpr int64_t kCounts = 2;

  int64_t columns;
  int64_t gammas;

  int64_t width() const { return kCounts + gammas; }
  int64_t size() const { return kSides * columns * width(); }
  int64_t offset(bool is_positive, int64_t column) const {
    return ((is_positive ? 0 : columns) + column) * width();
  }
};

// Fills `into`, a table of this call for these γ; returns the divisor of its mean. The call's own γ
// and alpha do not count, and it writes nothing else. Throws before it writes anything.
double sweep(const Call& call, std::span<const double> gammas, std::span<double> into);

}  // namespace culoss::cpu
