// Where the elements of a tensor with a class axis are. Offsets are 64-bit: there may be more than
// 2^31 elements.
#pragma once

#include <stdint.h>

#include "platform.h"

namespace culoss {

// One element: its row, its column, and its offset in memory of the inputs' shape.
struct Place {
  int64_t row;
  int64_t column;
  int64_t offset;

  constexpr bool operator==(const Place&) const = default;
};

// The elements of one row.
struct RowLayout {
  int64_t row;
  int64_t begin;  // offset of its first element
  int64_t step;   // from one to the next

  HD constexpr Place at(int64_t column) const { return {row, column, begin + column * step}; }
};

// A row-major shape (outer, columns, inner): the axes before the class axis, the class axis, and
// those behind it. A row is one (outer, inner): its elements lie `inner` apart.
struct Layout {
  int64_t outer;
  int64_t columns;
  int64_t inner;

  HD constexpr int64_t rows() const { return outer * inner; }
  HD constexpr int64_t elements() const { return outer * columns * inner; }

  HD constexpr RowLayout row(int64_t row) const {
    return {row, row + row / inner * (columns - 1) * inner, inner};
  }

  HD constexpr Place at_offset(int64_t offset) const {
    const int64_t line = inner == 1 ? offset : offset / inner;  // an (outer, column)
    const int64_t before = line / columns;                      // of the outer ones
    return {before * inner + (offset - line * inner), line - before * columns, offset};
  }

  // The place behind one, in the order of memory.
  HD constexpr Place next(const Place& place) const {
    if (inner == 1) {
      const bool ends_row = place.column + 1 == columns;
      return {place.row + ends_row, ends_row ? 0 : place.column + 1, place.offset + 1};
    }
    if ((place.row + 1) % inner == 0) return at_offset(place.offset + 1);
    return {place.row + 1, place.column, place.offset + 1};
  }
};

// The last element of a shape beyond 2^31, by both ways.
static_assert(Layout{1 << 11, 1 << 12, 1 << 10}.row((1 << 21) - 1).at((1 << 12) - 1) ==
              Place{(1 << 21) - 1, (1 << 12) - 1, (int64_t(1) << 33) - 1});
static_assert(Layout{1 << 11, 1 << 12, 1 << 10}.at_offset((int64_t(1) << 33) - 1) ==
              Place{(1 << 21) - 1, (1 << 12) - 1, (int64_t(1) << 33) - 1});

// One place after the other: within a row, from row to row, and from class to class.
static_assert(Layout{2, 3, 1}.next({0, 1, 1}) == Place{0, 2, 2});
static_assert(Layout{2, 3, 1}.next({0, 2, 2}) == Place{1, 0, 3});
static_assert(Layout{2, 3, 4}.next({3, 2, 11}) == Layout{2, 3, 4}.at_offset(12));

}  // namespace culoss
