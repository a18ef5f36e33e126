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

  bool is_number() const { return array.memory == nullptr; }
  bool is_one() const { return is_number() && number == 1; }

  template <class A>
  HD A at(const Place& place) const {
    return array.memory == nullptr ? A(number) : load<A>(array, index(place));
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

// A target, and whether it counts: what marks something to ignore is no target.
template <class A>
struct Label {
  A y;
  bool counts;
};

// A target view answers for one row. With `targets = target.row(r)`, `targets.label<A>(place)` is
// what it says of a place, and `targets.labels(place, to)` of that and its neighbours in the row;
// `targets.column(k)` for k in [0, target.width()) are the columns that can hold a target other
// than 0; below 0: none. A row counts if one of those does.

// Class ids, read as the one-hot matrix. An id outside [0, columns) is no class at all, so that
// memory stays safe even if the ids change while they are read.
struct ClassIds {
  ConstArray ids;  // (rows) of any dtype
  int64_t columns;
  Ignored ignored;  // a row with this id

  static constexpr int64_t kNone = -1;
  static constexpr int64_t kIgnored = -2;

  HD int64_t width() const { return 1; }
  HD bool may_skip_rows() const { return true; }

  HD int64_t id(int64_t row) const {
    int64_t found = kNone;
    for_each_id(row, row + 1, [&](int64_t, int64_t id) { found = id; });
    return found;
  }
  // Calls `f(row, id)` for the rows [begin, end).
  template <class F>
  HD void for_each_id(int64_t begin, int64_t end, F&& f) const {
    with_elements(ids, [&]<class T>(const T* elements) {
      for (int64_t row = begin; row < end; ++row) {
        if constexpr (std::is_integral_v<T>) {
          f(row, class_of(int64_t(elements[row])));
        } else {
          f(row, class_of(as<double>(elements[row])));
        }
      }
    });
  }

  struct Row {
    int64_t id;
    HD bool counts() const { return id >= 0; }
    HD int64_t column(int64_t) const { return id; }
    // Whether none of `n` columns can hold a target other than 0.
    HD bool misses(int64_t first, int n) const { return id < first || id >= first + n; }
    template <class A>
    HD Label<A> label(const Place& place) const {
      return {A(place.column == id), id >= 0};
    }
    template <int n, class A>
    HD void labels(const Place& first, Label<A> (&to)[n]) const {
      const int at = misses(first.column, n) ? -1 : int(id - first.column);
      for (int e = 0; e < n; ++e) to[e] = {A(e == at), id >= 0};
    }
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
  HD bool may_skip_rows() const { return ignored.any; }

  struct Row {
    ConstArray values;
    Ignored ignored;
    HD int64_t column(int64_t k) const { return k; }
    HD bool misses(int64_t, int) const { return false; }
    template <class A>
    HD Label<A> label(const Place& place) const {
      return label_of(load<A>(values, place.offset));
    }
    template <int n, class A>
    HD void labels(const Place& first, Label<A> (&to)[n]) const {
      A ys[n];
      load<n>(values, first.offset, ys);
      for (int e = 0; e < n; ++e) to[e] = label_of(ys[e]);
    }

   private:
    template <class A>
    HD Label<A> label_of(A y) const {
      const bool is_ignored = ignored.is(y);
      return {is_ignored ? A(0) : y, !is_ignored};
    }
  };
  HD Row row(int64_t) const { return {values, ignored}; }
};

// Either, known at run time.
struct AnyTarget {
  bool is_dense;
  ClassIds ids;
  Dense dense;

  HD int64_t width() const { return is_dense ? dense.width() : ids.width(); }
  HD bool may_skip_rows() const { return is_dense ? dense.may_skip_rows() : ids.may_skip_rows(); }

  struct Row {
    bool is_dense;
    ClassIds::Row ids;
    Dense::Row dense;
    HD int64_t column(int64_t k) const { return is_dense ? dense.column(k) : ids.column(k); }
    HD bool misses(int64_t first, int n) const { return !is_dense && ids.misses(first, n); }
    template <class A>
    HD Label<A> label(const Place& place) const {
      return is_dense ? dense.label<A>(place) : ids.label<A>(place);
    }
    template <int n, class A>
    HD void labels(const Place& first, Label<A> (&to)[n]) const {
      is_dense ? dense.labels(first, to) : ids.labels(first, to);
    }
  };
  HD Row row(int64_t row) const {
    return {is_dense, is_dense ? ClassIds::Row{} : ids.row(row), dense.row(row)};
  }
};

}  // namespace culoss
