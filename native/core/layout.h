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

// The same by the axes.
struct Position {
  int64_t outer;
  int64_t column;
  int64_t inner;

  constexpr bool operator==(const Position&) const = default;
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
    return {row, row + quotient(row, inner) * (columns - 1) * inner, inner};
  }

  HD constexpr Position position(int64_t offset) const {
    const int64_t line = inner == 1 ? offset : quotient(offset, inner);  // an (outer, column)
    const int64_t before = quotient(line, columns);                      // of the outer ones
    return {before, line - before * columns, offset - line * inner};
  }
  HD constexpr Place at(const Position& position) const {
    const int64_t line = position.outer * columns + position.column;
    return {position.outer * inner + position.inner, position.column,
            line * inner + position.inner};
  }
  HD constexpr Place at_offset(int64_t offset) const { return at(position(offset)); }

  // a / b of numbers ≥ 0. A division of 32 bits takes a quarter of the time.
  HD static constexpr int64_t quotient(int64_t a, int64_t b) {
    return (a | b) >> 32 == 0 ? int64_t(uint32_t(a) / uint32_t(b)) : a / b;
  }

  // The position a step behind another, both in the order of memory: a sum with carries.
  HD constexpr Position sum(const Position& a, const Position& step) const {
    Position sum{a.outer + step.outer, a.column + step.column, a.inner + step.inner};
    if (sum.inner >= inner) {
      sum.inner -= inner;
      ++sum.column;
    }
    if (sum.column >= columns) {
      sum.column -= columns;
      ++sum.outer;
    }
    return sum;
  }
  HD constexpr Position next(const Position& position) const {
    return sum(position, inner == 1 ? Position{0, 1, 0} : Position{0, 0, 1});
  }
};

// The last element of a shape beyond 2^31, by both ways.
static_assert(Layout{1 << 11, 1 << 12, 1 << 10}.row((1 << 21) - 1).at((1 << 12) - 1) ==
              Place{(1 << 21) - 1, (1 << 12) - 1, (int64_t(1) << 33) - 1});
static_assert(Layout{1 << 11, 1 << 12, 1 << 10}.at_offset((int64_t(1) << 33) - 1) ==
              Place{(1 << 21) - 1, (1 << 12) - 1, (int64_t(1) << 33) - 1});

// One position after the other: within a row, from row to row, and from class to class.
static_assert(Layout{2, 3, 1}.next({0, 2, 0}) == Position{1, 0, 0});
static_assert(Layout{2, 3, 4}.next({0, 2, 3}) == Position{1, 0, 0});
static_assert(Layout{2, 3, 4}.next({0, 1, 3}) == Position{0, 2, 0});
static_assert(Layout{5, 3, 4}.sum({1, 2, 3}, Layout{5, 3, 4}.position(29)) ==
              Layout{5, 3, 4}.position(23 + 29));

}  // namespace culoss
