// Vectors turned over: what lay along rows then lies along columns.
#pragma once

#include <utility>

#include "../core/lanes.h"

namespace culoss::cpu {

// Lanes of two vectors in turn, from the `kFirst`-th on.
template <size_t kFirst, size_t... lanes>
inline Floats interleaved(const Floats& a, const Floats& b, std::index_sequence<lanes...>) {
  return __builtin_shufflevector(a, b, (kFirst + lanes / 2 + lanes % 2 * sizeof...(lanes))...);
}

// As many vectors as one has lanes. Each of the steps moves one digit of the place of a number from
// that of its vector to that of its lane: Stone, Parallel Processing with the Perfect Shuffle,
// 1971.
[[gnu::always_inline]] inline void transpose(Floats (&rows)[LanesOf<Floats>::kLanes]) {
  constexpr int kLanes = LanesOf<Floats>::kLanes, kHalf = kLanes / 2;
  constexpr std::make_index_sequence<kLanes> kAll;
#pragma GCC unroll 4
  for (int step = 1; step < kLanes; step *= 2) {
    Floats turned[kLanes];
#pragma GCC unroll 8
    for (int k = 0; k < kHalf; ++k) {
      turned[2 * k] = interleaved<0>(rows[k], rows[k + kHalf], kAll);
      turned[2 * k + 1] = interleaved<kHalf>(rows[k], rows[k + kHalf], kAll);
    }
#pragma GCC unroll 16
    for (int k = 0; k < kLanes; ++k) rows[k] = turned[k];
  }
}

}  // namespace culoss::cpu
