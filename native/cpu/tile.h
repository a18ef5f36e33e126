// A tile of short rows, turned: the numbers of a column lie together, each row has a lane.
#pragma once

#include <algorithm>

#include "block.h"
#include "transpose.h"

namespace culoss::cpu {

template <class T>
class Tile {
  using A = Compute<T>;
  using V = Vector<A>;

 public:
  // Of rows that are turned.
  static constexpr int64_t kMostColumns = 63;
  // The first cache has so many from step to step.
  static constexpr int64_t kNumbers = 8192;

  // Columns do not begin a power of 2 apart.
  Tile(int64_t columns, int64_t rows) : columns_(columns), stride_(rows + kSums) {}

  A* column(int64_t c) { return of_ + c * stride_; }
  // Whether there is room for all columns.
  bool is_held() const { return columns_ * stride_ <= kHeld; }

  // Turns n rows, which lie in memory that ends at `end`.
  void load(const T* rows, int n, const T* end) {
    for_each_strip(n, [&](int i, auto size) {
      const T* const from = rows + i * columns_;
      if constexpr (kIsFloat && size == kStrip) {
        if (const A* const numbers = strip_at(from, end)) return turn_in(numbers, i);
      }
      for (int64_t c = 0; c < columns_; ++c) {
        A* const to = column(c) + i;
        for (int k = 0; k < size; ++k) to[k] = culoss::load(from[k * columns_ + c]);
      }
    });
    for (int64_t c = 0; c < columns_; ++c) std::fill(column(c) + n, column(c) + padded(n), A(0.5));
  }
  // Turns n rows back, some at a time: calls `f(first, rows, size)` for those.
  template <class F>
  void unload(int n, F&& f) {
    const int beyond =
        columns_ < kStrip ? kStrip : 0;  // of short rows, vectors reach into the next
    const int most = (kBlock - beyond) / int(columns_) / kStrip * kStrip;
    for (int first = 0; first < n; first += most) {
      const int some = std::min(most, n - first);
      for_each_strip(some, [&](int i, auto size) {
        A* const to = rows_.of + i * columns_;
        if constexpr (kIsFloat && size == kStrip) return turn_out(first + i, to);
        for (int64_t c = 0; c < columns_; ++c) {
          const A* const from = column(c) + first + i;
          for (int k = 0; k < size; ++k) to[k * columns_ + c] = from[k];
        }
      });
      f(first, rows_.of, some);
    }
  }

 private:
  static constexpr bool kIsFloat = std::is_same_v<A, float>;
  static constexpr int kStrip = kIsFloat ? LanesOf<V>::kLanes : 8;  // rows that are turned together
  static_assert((kMostColumns + 1) * kStrip <= kBlock);
  static constexpr int64_t kHeld = kNumbers + (kMostColumns + 1) * kSums;

  // Calls `f(i, size)` for so many of n rows from the i-th on, which are turned together.
  template <class F>
  static void for_each_strip(int n, F&& f) {
    int i = 0;
    for (; i + kStrip <= n; i += kStrip) f(i, std::integral_constant<int, kStrip>{});
    for (; i < n; ++i) f(i, std::integral_constant<int, 1>{});
  }
  // The rows of a strip as numbers which can be read in whole vectors, of short rows beyond the
  // last one; else null.
  const A* strip_at(const T* from, const T* end) {
    if constexpr (std::is_same_v<T, A>) {
      return from + kStrip * columns_ + kStrip <= end ? from : nullptr;
    } else {
      widen(from, int(kStrip * columns_), rows_.of);
      return rows_.of;
    }
  }
  // Calls `f(c)` for the first columns of vectors that cover a row: the last ones may overlap.
  template <class F>
  [[gnu::always_inline]] void for_each_piece(F&& f) const {
    const int64_t last = std::max<int64_t>(0, columns_ - kStrip);
    for (int64_t c = 0; c < last; c += kStrip) f(c);
    f(last);
  }
  // A strip, which is or will be the rows from the i-th on.
  void turn_in(const A* strip, int i) {
    for_each_piece([&](int64_t c) {
      V vectors[kStrip];
#pragma GCC unroll 16
      for (int k = 0; k < kStrip; ++k) vectors[k] = vector_at(strip + k * columns_ + c);
      transpose(vectors);
#pragma GCC unroll 16
      for (int k = 0; k < kStrip; ++k) {
        if (c + k < columns_) put_vector(column(c + k) + i, vectors[k]);
      }
    });
  }
  void turn_out(int i, A* strip) {
    for_each_piece([&](int64_t c) {
      V vectors[kStrip];
#pragma GCC unroll 16
      for (int k = 0; k < kStrip; ++k) {
        vectors[k] = c + k < columns_ ? vector_at(column(c + k) + i) : V{};
      }
      transpose(vectors);
#pragma GCC unroll 16
      for (int k = 0; k < kStrip; ++k) put_vector(strip + k * columns_ + c, vectors[k]);
    });
  }

  const int64_t columns_, stride_;
  Block<A> rows_;  // as they lie in memory, in numbers
  alignas(64) A of_[kHeld];
};

}  // namespace culoss::cpu
