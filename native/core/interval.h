// Intervals that a number is told to be in by one comparison.
#pragma once

#include "lanes.h"

namespace culoss {

// Numbers ≥ 0 from a first to a last one, told by their bits: one comparison, which NaN does not
// pass.
template <class A>
struct Interval {
  Bits<A> first;
  Bits<A> count;

  static constexpr Interval of(A first, A last) {
    return {bits_of(first), last < first ? 0 : bits_of(last) - bits_of(first) + 1};
  }
  // From 0 to the same last one; of none, none.
  HD constexpr Interval from_zero() const { return {0, count == 0 ? count : first + count}; }

  // Below `count` for those of the interval.
  template <class V>
  HD Bits<V> index(V x) const {
    return bits_of(x) - first;
  }
};

}  // namespace culoss
