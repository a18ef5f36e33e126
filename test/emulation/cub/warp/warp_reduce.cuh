// What the engine uses of cub: the sum arrives at the first lane, and nothing of use at the others.
#pragma once

#include <string.h>

#include "../../block.h"

namespace cub {

template <class T, int kLanes>
class WarpReduce {
 public:
  struct TempStorage {};

  explicit WarpReduce(TempStorage&) {}

  template <class Op>
  T Reduce(const T& value, Op op) {
    static_assert(sizeof(T) <= emulation::kRoom);
    const unsigned first = threadIdx.x / kLanes * kLanes;
    const unsigned lanes = (~0u >> (32 - kLanes)) << first % 32;
    memcpy(emulation::room_of(threadIdx.x), &value, sizeof value);
    emulation::meet_lanes(lanes);
    T result;
    memset(static_cast<void*>(&result), 0xff, sizeof result);
    if (threadIdx.x == first) {
      memcpy(&result, emulation::room_of(first), sizeof result);
      for (unsigned i = 1; i < kLanes; ++i) {
        T next;
        memcpy(&next, emulation::room_of(first + i), sizeof next);
        result = op(result, next);
      }
    }
    emulation::meet_lanes(lanes);  // all have been read
    return result;
  }
};

}  // namespace cub
