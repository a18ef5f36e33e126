// A walk over elements in the order of memory.
#pragma once

#include "layout.h"

namespace culoss {

// Calls `f(place, targets)` for the elements [begin, end) of a call: whether they lie along a row
// or, where the class axis is not the last one, along one class of neighbouring rows. There is at
// least one.
template <class Work, class F>
HD void for_each_place(const Work& work, int64_t begin, int64_t end, F&& f) {
  const Layout& layout = work.layout;
  Position position = layout.position(begin);
  Place place = layout.at(position);
  auto targets = work.target.row(place.row);
#ifdef __CUDA_ARCH__
#pragma unroll 1
#endif
  for (;;) {
    f(place, targets);
    if (place.offset + 1 == end) return;
    position = layout.next(position);
    const Place next = layout.at(position);
    if (next.row != place.row) targets = work.target.row(next.row);
    place = next;
  }
}

}  // namespace culoss
