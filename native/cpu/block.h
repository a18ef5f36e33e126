// A block of neighbouring elements: what is computed of them stands in the first cache until it is
// written. The loops over a block go vector by vector; their sums are in an order that does not
// depend on how long a vector is, so that they are the same for every instruction set.
#pragma once

#include <math.h>

#include <algorithm>

#include "halves.h"

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

// The vector that begins at a number, wherever that is.
template <class A>
[[gnu::always_inline]] inline Vector<A> vector_at(const A* number) {
  using Anywhere [[gnu::aligned(alignof(A)), gnu::may_alias]] = Vector<A>;
  return *reinterpret_cast<const Anywhere*>(number);
}

template <class A>
[[gnu::always_inline]] inline void put_vector(A* to, const Vector<A>& numbers) {
  using Anywhere [[gnu::aligned(alignof(A)), gnu::may_alias]] = Vector<A>;
  *reinterpret_cast<Anywhere*>(to) = numbers;
}

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
  // Of both halves first.
  double total() const {
    Doubles sums[kVectors];
    for (int v = 0; v < kVectors; ++v) sums[v] = lanes_[v];
    for (int n = kVectors / 2; n > 0; n /= 2) {
      for (int v = 0; v < n; ++v) sums[v] = sums[v] + sums[v + n];
    }
    return over_lanes(lanes_of<double>(sums[0]), [](double a, double b) { return a + b; });
  }

 private:
  static constexpr int kLanes = LanesOf<Doubles>::kLanes;
  static constexpr int kVectors = kSums / kLanes;
  Doubles lanes_[kVectors] = {};
};

// In whole vectors of any machine.
inline int padded(int n) { return (n + kSums - 1) / kSums * kSums; }

// Puts a number behind n of a block, up to `padded(n)`.
template <class A>
void pad(Block<A>& block, int n, A beyond) {
  for (; n % kSums != 0; ++n) block.of[n] = beyond;
}

template <class A>
using Addend = std::conditional_t<std::is_same_v<A, float>, Floats, Doubles>;

// Σ f(x) of n numbers of a block, behind which it puts zeros. `kAtOnce` numbers for a lane are
// added as narrow as they are: 4 are precise enough where no digits are lost later.
template <int kAtOnce, class A, class F>
[[gnu::always_inline]] inline double sum_of(Block<A>& block, int n, F&& f) {
  pad(block, n, A(0));
  Sum sum;
  const auto add = [&]<int kFew>(int i, std::integral_constant<int, kFew>) {
#pragma GCC unroll 8
    for (int k = 0; k < kSums; k += LanesOf<Addend<A>>::kLanes) {
      const auto at = [&](int row) {
        return f(*reinterpret_cast<const Addend<A>*>(block.of + i + row * kSums + k));
      };
      if constexpr (kFew == 1) {
        sum.add(k, at(0));
      } else {
        sum.add(k, (at(0) + at(1)) + (at(2) + at(3)));
      }
    }
  };
  int i = 0;
  if constexpr (kAtOnce == 4) {
    for (; i + 4 * kSums <= n; i += 4 * kSums) add(i, std::integral_constant<int, 4>{});
  }
  for (; i < n; i += kSums) add(i, std::integral_constant<int, 1>{});
  return sum.total();
}
// All in float64.
template <class A>
double sum_of(Block<A>& block, int n) {
  return sum_of<1>(block, n, [](const Addend<A>& x) { return x; });
}
// Fast: four that are finite may add up to more than a float holds.
template <class A>
double sum_of_fours(Block<A>& block, int n) {
  const double sum = sum_of<4>(block, n, [](const Addend<A>& x) { return x; });
  return isfinite(sum) ? sum : sum_of(block, n);
}

// Σ over the vectors of n floats, of which the last ones reach up to `padded(n)`: `f(i,
// begins_line, sum)` adds one of them to a sum, and `begins_line` says that it is the first one of
// a line of a cache. Eight of a lane are added as they are: they must be small enough for that, and
// more of them would lose digits.
template <class F>
[[gnu::always_inline]] inline double sum_of_vectors(int n, F&& f) {
  constexpr int kLanes = LanesOf<Floats>::kLanes;
  Sum sum;
  for (int first = 0; first < n; first += 8 * kSums) {
    Floats few[kSums / kLanes] = {};
    for (int i = first; i < std::min(first + 8 * kSums, n); i += kSums) {
#pragma GCC unroll 4
      for (int k = 0; k < kSums; k += kLanes) {
        few[k / kLanes] = f(i + k, k == 0, few[k / kLanes]);
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < kSums; k += kLanes) sum.add(k, few[k / kLanes]);
  }
  return sum.total();
}

template <class T>
inline void prefetch(const T* from, int n) {
  for (int i = 0; i < n; i += 64 / int(sizeof(T))) __builtin_prefetch(from + i);
}

// Puts n elements into a block, and a number behind them.
template <class T>
void fill_block(const T* from, int n, Compute<T> beyond, Block<Compute<T>>& block) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    copy(block.of, from, n);
  } else {
    widen(from, n, block.of);
  }
  pad(block, n, beyond);
}
// The same, and asks for the next block: no machine foresees that another page begins.
template <class T>
void load_block(const T* from, int n, Compute<T> beyond, Block<Compute<T>>& block) {
  prefetch(from + kBlock, n);
  fill_block(from, n, beyond, block);
}

// Elements as they lie in memory, if they can be read there: numbers in which one computes, in
// whole vectors. Else null, and they have to be loaded.
template <class T>
const Compute<T>* in_place(const T* from, int n) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    if (n % kSums == 0) return from;
  }
  return nullptr;
}

}  // namespace culoss::cpu
