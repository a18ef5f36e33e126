// A block of neighbouring elements: what is computed of them stands in the first cache until it is
// written. The loops over a block go vector by vector; their sums are in an order that does not
// depend on how long a vector is, so that they are the same for every instruction set.
#pragma once

#include "../core/dtype.h"
#include "../core/math.h"

namespace culoss::cpu {

constexpr int kBlock = 512;

// What the numbers of a block are computed in: vectors of float, double one by one.
template <class A>
using Vector = std::conditional_t<std::is_same_v<A, float>, Floats, A>;

// Numbers for the elements of a block. A vector may reach beyond the last one, but not the block.
template <class A>
struct Block {
  alignas(64) A of[kBlock];

  Vector<A>& at(int i) { return *reinterpret_cast<Vector<A>*>(of + i); }
  const Vector<A>& at(int i) const { return *reinterpret_cast<const Vector<A>*>(of + i); }
};

// Calls `f(i)` for the first element of each vector of a block of n.
template <class A, class F>
[[gnu::always_inline]] inline void for_each_vector(int n, F&& f) {
  for (int i = 0; i < n; i += LanesOf<Vector<A>>::kLanes) f(i);
}

// The sum of n numbers.
template <class A>
double sum_of(const A* numbers, int n) {
  constexpr int kLanes = 16;
  double lanes[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += double(numbers[i + l]);
  }
  for (int l = 0; i + l < n; ++l) lanes[l] += double(numbers[i + l]);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

// Puts n elements into a block, and a number into the rest of the last vector.
template <class T>
void load_block(const T* from, int n, Compute<T> beyond, Block<Compute<T>>& block) {
  for (int i = 0; i < n; ++i) block.of[i] = load(from[i]);
  for (int i = n; i % LanesOf<Vector<Compute<T>>>::kLanes != 0; ++i) block.of[i] = beyond;
}

}  // namespace culoss::cpu
