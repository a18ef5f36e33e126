// Numbers side by side that vectors are added to, in float64.
#pragma once

#include <algorithm>

#include "block.h"

namespace culoss::cpu {

struct [[gnu::may_alias]] Totals : Block<double> {
  void clear(int n) { std::fill_n(of, padded(n), 0.0); }
  void add(int i, double x) { of[i] += x; }
  void add(int i, const Floats& x) {
    const auto [low, high] = to_doubles(x);
    at(i) = at(i) + low;
    at(i + kHalf) = at(i + kHalf) + high;
  }
  // Rounded.
  double plus(int i, double x) const { return of[i] + x; }
  Floats plus(int i, const Floats& x) const {
    const auto [low, high] = to_doubles(x);
    return to_floats(at(i) + low, at(i + kHalf) + high);
  }

 private:
  static constexpr int kHalf = LanesOf<Doubles>::kLanes;
  Doubles& at(int i) { return *reinterpret_cast<Doubles*>(of + i); }
  const Doubles& at(int i) const { return *reinterpret_cast<const Doubles*>(of + i); }
};

}  // namespace culoss::cpu
