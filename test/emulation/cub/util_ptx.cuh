// What the engine uses of cub's shuffles.
#pragma once

#include <string.h>

#include "../block.h"

namespace cub {

// What lane `source` of the `kLanes` has.
template <int kLanes, class T>
T ShuffleIndex(const T& value, int source, unsigned lanes) {
  static_assert(sizeof(T) <= emulation::kRoom);
  const unsigned first = threadIdx.x / kLanes * kLanes;
  memcpy(emulation::room_of(threadIdx.x), &value, sizeof value);
  emulation::meet_lanes(lanes);
  T result;
  memcpy(&result, emulation::room_of(first + source), sizeof result);
  emulation::meet_lanes(lanes);  // all have read it
  return result;
}

}  // namespace cub
