// What an element sees of the arguments of a call: its target, and the numbers that scale it.
// A view knows no formula and no backend.
#pragma once

#include "dtype.h"
#include "layout.h"

namespace culoss {

// What a number is repeated over, if it is not one for all.
enum class Along : uint8_t { nothing, rows, columns, elements };

// A number, or an array read as if it had the inputs' shape.
struct Broadcast {
  ConstArray array;
  Along along = Along::nothing;
  double number = 1;  // where there is no array

  bool is_one() const { return array.memory == nullptr && number == 1; }

  template <class A>
  HD A at(const Place& place) const {
    if (array.memory == nullptr) return A(number);
    return load<A>(array, index(place));
  }

 private:
  HD int64_t index(const Place& place) const {
    switch (along) {
      case Along::nothing:
        return 0;
      case Along::rows:
        return place.row;
      case Along::columns:
        return place.column;
      case Along::elements:
        return place.offset;
    }
    return 0;
  }
};

// The target that marks what counts nowhere, if there is one; of dense targets it may be 0, too.
struct Ignored {
  bool any = false;
  int64_t value = 0;
  bool zero = false;

  template <class V>
  HD bool is(V target) const {
    return any && (target == V(value) || (zero && target == 0));
  }
};

// A target view answers for one row. With `y = target.row(r)`, `y.at<A>(place)` is a target and
// `y.counts(place)` whether it counts; `y.column(k)` for k in [0, target.width()) are the columns
// that can hold a target other than 0; below 0: none. A row counts if one of those does.

// Class ids, read as the one-hot matrix. An id outside [0, columns) is no class at all, so that
// memory stays safe even if the ids change while they are read.
struct ClassIds {
  ConstArray ids;  // (rows) of any dtype
  int64_t columns;
  Ignored ignored;  // a row with this id

  static constexpr int64_t kNone = -1;
  static constexpr int64_t kIgnored = -2;

  HD int64_t width() const { return 1; }

  HD int64_t id(int64_t row) const {
    if (ids.dtype == Dtype::int64) return class_of(static_cast<const int64_t*>(ids.memory)[row]);
    return class_of(load<double>(ids, row));
  }

  struct Row {
    int64_t id;
    template <class A>
    HD A at(const Place& place) const {
      return A(place.column == id);
    }
    HD bool counts(const Place&) const { return id >= 0; }
    HD int64_t column(int64_t) const { return id; }
  };
  HD Row row(int64_t row) const { return {id(row)}; }

 private:
  template <class V>
  HD int64_t class_of(V id) const {
    if (ignored.is(id)) return kIgnored;
    return id >= 0 && id < V(columns) && id == V(int64_t(id)) ? int64_t(id) : kNone;
  }
};

// One number per class: one-hot, multi-hot or soft labels.
struct Dense {
  ConstArray values;  // the inputs' shape, of any dtype
  int64_t columns;
  Ignored ignored;  // an element with this target

  HD int64_t width() const { return columns; }

  struct Row {
    ConstArray values;
    Ignored ignored;
    // What marks something to ignore is no target.
    template <class A>
    HD A at(const Place& place) const {
      const A y = load<A>(values, place.offset);
      return ignored.is(y) ? A(0) : y;
    }
    HD bool counts(const Place& place) const {
      return !ignored.any || !ignored.is(load<double>(values, place.offset));
    }
    HD int64_t column(int64_t k) const { return k; }
  };
  HD Row row(int64_t) const { return {values, ignored}; }
};

}  // namespace culoss
