// What comes with the inputs, for neighbours of a block.
#pragma once

#include <algorithm>

#include "../core/views.h"
#include "block.h"

namespace culoss::cpu {

// Elements that lie `step` apart along an axis: columns of a row, or one class of neighbouring
// rows.
struct Stretch {
  Place first;
  int n;
  Along axis;  // rows or columns
  int64_t step = 1;
};

// `f` of elements of an array of any dtype.
template <class A, class F>
void load_numbers(const ConstArray& array, int64_t at, int64_t step, int n, A* to, F&& f) {
  with_elements(array, [&](const auto* elements) {
    if (step == 1) {
      constexpr int kPack = 64 / sizeof(*elements);  // a line of the cache; asks for the next block
      int i = 0;
      for (; i + kPack <= n; i += kPack) {
        __builtin_prefetch(elements + at + i + kBlock);
        for (int k = 0; k < kPack; ++k) to[i + k] = f(elements[at + i + k]);
      }
      for (; i < n; ++i) to[i] = f(elements[at + i]);
    } else {
      for (int i = 0; i < n; ++i) to[i] = f(elements[at + i * step]);
    }
  });
}
template <class A>
[[gnu::noinline]] void load_numbers(const ConstArray& array, int64_t at, int64_t step, int n,
                                    A* to) {
  load_numbers(array, at, step, n, to, [](auto element) { return as<A>(element); });
}

// `f` of numbers, as double. Not inlined, as all that has a loop for each dtype.
template <class A, class F>
[[gnu::noinline]] void load_numbers(const Broadcast& numbers, const Stretch& of, A* to, F&& f) {
  const auto rounded = [&](auto number) { return A(f(as<double>(number))); };
  const bool is_array = numbers.array.memory != nullptr;
  if (is_array && numbers.along == Along::elements) {
    load_numbers(numbers.array, of.first.offset, of.step, of.n, to, rounded);
  } else if (is_array && numbers.along == of.axis) {
    load_numbers(numbers.array, of.axis == Along::rows ? of.first.row : of.first.column, 1, of.n,
                 to, rounded);
  } else {
    std::fill_n(to, of.n, rounded(numbers.at<double>(of.first)));
  }
}
template <class A>
void load_numbers(const Broadcast& numbers, const Stretch& of, A* to) {
  load_numbers(numbers, of, to, [](double number) { return number; });
}

// Targets, 0 for what is ignored; and whether they count, as 1 or 0, if that is asked for.
template <class A>
[[gnu::noinline]] void load_targets(const Dense& target, const Stretch& of, A* to,
                                    A* counts = nullptr) {
  load_numbers(target.values, of.first.offset, of.step, of.n, to);
  if (counts) std::fill_n(counts, of.n, A(1));
  if (!target.ignored.any) return;
  for (int i = 0; i < of.n; ++i) {
    const bool is_ignored = target.ignored.is(to[i]);
    to[i] = is_ignored ? A(0) : to[i];
    if (counts) counts[i] = A(!is_ignored);
  }
}
template <class A>
[[gnu::noinline]] void load_targets(const ClassIds& target, const Stretch& of, A* to,
                                    A* counts = nullptr) {
  if (of.axis == Along::columns) {
    const auto row = target.row(of.first.row);
    std::fill_n(to, of.n, A(0));
    if (!row.misses(of.first.column, of.n)) to[row.id - of.first.column] = 1;
    if (counts) std::fill_n(counts, of.n, A(row.counts()));
    return;
  }
  const auto [ids, columns, ignored] = target;
  const double column = double(of.first.column);
  load_numbers(ids, of.first.row, 1, of.n, to,
               [&](auto id) { return A(as<double>(id) == column); });
  if (!counts) return;
  if (!ignored.any) return void(std::fill_n(counts, of.n, A(1)));
  load_numbers(ids, of.first.row, 1, of.n, counts,
               [&](auto id) { return A(as<double>(id) != double(ignored.value)); });
  for (int i = 0; i < of.n; ++i) to[i] *= counts[i];
}
template <class A>
void load_targets(const AnyTarget& target, const Stretch& of, A* to, A* counts = nullptr) {
  target.is_dense ? load_targets(target.dense, of, to, counts)
                  : load_targets(target.ids, of, to, counts);
}

}  // namespace culoss::cpu
