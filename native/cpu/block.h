// A block of neighbouring elements: what is computed of them stands in the first cache until it is
// written. The loops over a block go vector by vector; their sums are in an order that does not
// depend on how long a vector is, so that they are the same for every instruction set.
#pragma once

#include "../core/dtype.h"
#include "../core/math.h"

namespace culoss::cpu {

constexpr int kBlock = 1024;

// What the numbers of a block are computed in: vectors of float, double one by one.
template <class A>
using Vector = std::conditional_t<std::is_same_v<A, float>, Floats, A>;

// Numbers for the elements of a block. A vector may reach beyond the last one, but not the block.
template <class A>
struct [[gnu::may_alias]] Block {
  alignas(64) A of[kBlock];

  Vector<A>& at(int i) { return *reinterpret_cast<Vector<A>*>(of + i); }
  const Vector<A>& at(int i) const { return *reinterpret_cast<const Vector<A>*>(of + i); }
};

// Calls `f(i)` for the first element of each vector of a block of n.
template <class A, class F>
[[gnu::always_inline]] inline void for_each_vector(int n, F&& f) {
  for (int i = 0; i < n; i += LanesOf<Vector<A>>::kLanes) f(i);
}

// Copies n numbers; not by `memcpy`, which a compiler may make an instruction of that starts
// slowly.
template <class T>
[[gnu::always_inline]] inline void copy(T* to, const T* from, int n) {
  constexpr int kPack = 32 / sizeof(T);
  int i = 0;
  for (; i + kPack <= n; i += kPack) __builtin_memcpy(to + i, from + i, 32);
  for (; i < n; ++i) to[i] = from[i];
}

// Sums of many numbers, in as many lanes as the longest vector has, for every instruction set.
constexpr int kSums = 16;

class Sum {
 public:
  // Adds a vector to the lanes from the k-th on.
  void add(int k, const Doubles& x) { lanes_[k / kLanes] = lanes_[k / kLanes] + x; }
  void add(int k, const Floats& x) {
    const auto [low, high] = to_doubles(x);
    add(k, low);
    add(k + kLanes, high);
  }
  double total() const {
    alignas(Doubles) std::array<double, kSums> sums;
    for (int k = 0; k < kSums; k += kLanes) {
      *reinterpret_cast<Doubles*>(sums.data() + k) = lanes_[k / kLanes];
    }
    return over_lanes(sums, [](double a, double b) { return a + b; });
  }

 private:
  static constexpr int kLanes = LanesOf<Doubles>::kLanes;
  Doubles lanes_[kSums / kLanes] = {};
};

// Puts a number behind n of a block, up to a multiple of `kSums`.
template <class A>
void pad(Block<A>& block, int n, A beyond) {
  for (; n % kSums != 0; ++n) block.of[n] = beyond;
}

template <class A>
using Addend = std::conditional_t<std::is_same_v<A, float>, Floats, Doubles>;

// Calls `f(k, x)` for vectors that begin at the k-th lane of a sum; puts zeros behind n numbers.
template <class A, class F>
[[gnu::always_inline]] inline void for_each_addend(Block<A>& block, int n, F&& f) {
  pad(block, n, A(0));
  for (int i = 0; i < n; i += kSums) {
#pragma GCC unroll 8
    for (int k = 0; k < kSums; k += LanesOf<Addend<A>>::kLanes) {
      f(k, *reinterpret_cast<const Addend<A>*>(block.of + i + k));
    }
  }
}

// The sum of n numbers of a block.
template <class A>
double sum_of(Block<A>& block, int n) {
  Sum sum;
  for_each_addend(block, n, [&](int k, const Addend<A>& x) { sum.add(k, x); });
  return sum.total();
}

// Puts n elements into a block, and a number behind them. Asks for the next block meanwhile: it
// begins another page, which the machine does not foresee.
template <class T>
void load_block(const T* from, int n, Compute<T> beyond, Block<Compute<T>>& block) {
  for (int i = 0; i < n; i += 64 / int(sizeof(T))) __builtin_prefetch(from + kBlock + i);
  if constexpr (std::is_same_v<T, Compute<T>>) {
    copy(block.of, from, n);
  } else {
    for (int i = 0; i < n; ++i) block.of[i] = load(from[i]);
  }
  pad(block, n, beyond);
}

}  // namespace culoss::cpu
