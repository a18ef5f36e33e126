// A row by one thread, element by element: what an engine does where elements of a row lie apart,
// the CPU engine only where they are too many to be counted in floats. `Work` is a `Rowwise`.
#pragma once

#include "layout.h"
#include "math.h"
#include "views.h"

namespace culoss {

template <class Work>
HD typename Work::A input_at(const Work& work, const Place& place) {
  return load(work.inputs[place.offset]);
}

template <class Work>
HD typename Work::Statistics statistics_of(const Work& work, const RowLayout& row) {
  if constexpr (!Work::kIsCoupled) {
    return {};
  } else {
    const int64_t columns = work.layout.columns;
    typename Work::Part part;
    for (int64_t c = 0; c < columns; ++c) part.pass(input_at(work, row.at(c)));
    for (int64_t c = 0; c < columns; ++c) {
      const auto e = work.link.exponential(input_at(work, row.at(c)) - part.base());
      part.rest = part.rest + Work::Part::Rest::of(e);
    }
    return Work::Statistics::of(part);
  }
}

// Writes what is wanted of a row and returns its loss, undivided.
template <class Work, class Division>
HD double whole_row(const Work& work, const RowLayout& row, const Division& division) {
  using A = typename Work::A;
  const int64_t columns = work.layout.columns;
  const auto targets = work.target.row(row.row);
  const A slope_of_division = A(division.slope());
  const bool counts = work.counts(row, targets);
  typename Work::Statistics statistics{};
  typename Work::Sums sums;
  const auto visit = [&](const Place& place) {
    return work.visit(input_at(work, place), targets.template label<A>(place), place, statistics,
                      slope_of_division);
  };
  if (counts) statistics = statistics_of(work, row);
  if constexpr (Work::kIsSingle) {
    if (counts) sums = visit(row.at(targets.column(0))).sums;
  } else {
    for (int64_t c = 0; c < columns; ++c) {
      const Place place = row.at(c);
      const auto here = counts ? visit(place).sums : typename Work::Sums{};
      if (work.per_element) work.losses[place.offset] = work.row_loss(here, division);
      sums = sums + here;
    }
  }
  if (work.losses && !work.per_element) work.losses[row.row] = work.row_loss(sums, division);
  if (work.grad == nullptr) return sums.loss;
  for (int64_t c = 0; c < columns; ++c) {
    const Place place = row.at(c);
    A slope = 0;
    if (sums.has_weight && !(Work::kIsLone && targets.misses(c, 1))) {
      slope = work.slope(input_at(work, place), targets.template label<A>(place), place, statistics,
                         sums, slope_of_division);
    }
    work.grad[place.offset] = store<typename Work::Stored>(slope);
  }
  return sums.loss;
}

}  // namespace culoss
