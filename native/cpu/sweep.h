// What each class contributes to a focal loss, for many γ in one pass over the inputs.
#pragma once

#include <span>

#include "../core/call.h"

namespace culoss::cpu {

// What a table of a sweep holds, (sides, quantities, columns): for each side how many targets there
// are, what they weigh, and the undivided losses for each γ. The first side is "is of this class".
struct SweepTable {
  static constexpr int64_t kSides = 2;
  static constexpr int64_t kCount = 0, kWeight = 1, kLosses = 2;

  int64_t columns;
  int64_t gammas;

  // Throws where that is beyond any memory.
  size_t size() const {
    int64_t size;
    if (__builtin_mul_overflow(columns, kSides * (kLosses + gammas), &size) || size >> 48 != 0) {
      throw Error("ERR_SHAPE", "gammas: expected fewer for so many columns");
    }
    return size_t(size);
  }
  int64_t offset(bool is_positive, int64_t quantity, int64_t column) const {
    return ((is_positive ? 0 : kLosses + gammas) + quantity) * columns + column;
  }
};

// Fills `into`, a table of this call for these γ; returns the divisor of its mean. The call's own γ
// and alpha do not count, and it writes nothing else. Throws before it writes anything.
double sweep(const Call& call, std::span<const double> gammas, std::span<double> into);

}  // namespace culoss::cpu
