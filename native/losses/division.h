// The normaliser: what a loss, and its gradient with it, is divided by.
#pragma once

#include "../core/platform.h"

namespace culoss {

struct Division {
  double divisor;         // 1 for the reductions that do not divide
  double value_of_empty;  // of x / 0

  HD double of(double sum) const { return divisor == 0 ? value_of_empty : sum / divisor; }
  // d of(sum) / d sum. Nothing counted where the divisor is 0, so nothing has a gradient.
  HD double slope() const { return divisor == 0 ? 0 : 1 / divisor; }
};

}  // namespace culoss
