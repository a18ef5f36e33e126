// What an element sees of the arguments of a call: its target, and the numbers that scale it.
// A view knows no formula and no backend.
#pragma once

#include "dtype.h"

namespace culoss {

// A number, or an array read as if it had the inputs' shape: a stride of 0 repeats it.
struct Broadcast {
  ConstArray array;
  int64_t row_stride = 0;
  int64_t column_stride = 0;
  double number = 1;  // where there is no array

  template <class A>
  HD A at(int64_t row, int64_t column) const {
    if (array.memory == nullptr) return A(number);
    return load<A>(array, row * row_stride + column * column_stride);
  }
};

// A target view answers for one row: with `y = target.row(r)`, `y.at<A>(column)` is a target, and
// `y.column(k)` for k in [0, target.width()) are the columns that can hold one other than 0; below
// 0: none.

// Class ids, read as the one-hot matrix. An id outside [0, columns) is no class at all, so that
// memory stays safe even if the ids change while they are read.
struct ClassIds {
  ConstArray ids;  // (rows) of any dtype
  int64_t columns;

  static constexpr int64_t kNone = -1;

  HD int64_t width() const { return 1; }

  HD int64_t id(int64_t row) const {
    if (ids.dtype == Dtype::int64) {
      const int64_t id = static_cast<const int64_t*>(ids.memory)[row];
      return id >= 0 && id < columns ? id : kNone;
    }
    const double id = load<double>(ids, row);
    return id >= 0 && id < double(columns) && id == floor(id) ? int64_t(id) : kNone;
  }

  struct Row {
    int64_t id;
    template <class A>
    HD A at(int64_t column) const {
      return A(column == id);
    }
    HD int64_t column(int64_t) const { return id; }
  };
  HD Row row(int64_t row) const { return {id(row)}; }
};

// One number per class: one-hot, multi-hot or soft labels.
struct Dense {
  ConstArray values;  // (rows, columns) of any dtype
  int64_t columns;

  HD int64_t width() const { return columns; }

  struct Row {
    ConstArray values;
    int64_t offset;
    template <class A>
    HD A at(int64_t column) const {
      return load<A>(values, offset + column);
    }
    HD int64_t column(int64_t k) const { return k; }
  };
  HD Row row(int64_t row) const { return {values, row * columns}; }
};

}  // namespace culoss
