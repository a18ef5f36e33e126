// The steps of a row, or of one of its elements, by one thread: what the CPU engine does, and the
// CUDA engine where the elements of a row lie apart, or one of them is enough. `Work` is a
// `Rowwise`.
#pragma once

#include "layout.h"

namespace culoss {

// Whether the elements of a row can be visited one by one, because nothing couples them and at most
// one has a loss: class ids on probabilities.
template <class Work>
HD bool has_lone_elements(const Work& work) {
  return !Work::kCoupled && work.width() == 1;
}

// Writes what is wanted of a row and returns its loss, undivided.
template <class Work, class Division>
HD double whole_row(const Work& work, const RowLayout& row, const Division& division) {
  const int64_t columns = work.layout.columns;
  const auto targets = work.target.row(row.row);
  bool counts = false;
  for (int64_t k = 0; k < work.target.width() && !counts; ++k) {
    counts = work.counts(row, targets, k);
  }
  if (!counts) {
    for (int64_t c = 0; c < columns; ++c) work.write_nothing(row, c, division);
    work.write_row_loss(row, {}, division);
    return 0;
  }
  typename Work::Statistics statistics{};
  if constexpr (Work::kCoupled) {
    auto& [peak, rest] = statistics;
    for (int64_t c = 0; c < columns; ++c) peak.pass(work.peak(row, c));
    for (int64_t c = 0; c < columns; ++c) rest += work.rest(row, c, peak);
  }
  if (work.has_gaps()) {
    for (int64_t c = 0; c < columns; ++c) work.write_no_loss(row, c, division);
  }
  typename Work::Sums sums;
  for (int64_t k = 0; k < work.width(); ++k) {
    sums = sums + work.visit(row, work.column(targets, k), targets, statistics, division);
  }
  work.write_row_loss(row, sums, division);
  if (work.grad == nullptr) return sums.loss;
  if (has_lone_elements(work)) {
    for (int64_t c = 0; c < columns; ++c) work.write_no_grad(row, c);
    work.write_grad(row, work.column(targets, 0), targets, statistics, sums, division);
  } else {
    for (int64_t c = 0; c < columns; ++c) {
      work.write_grad(row, c, targets, statistics, sums, division);
    }
  }
  return sums.loss;
}

// All steps of a lone element; returns its loss, undivided.
template <class Work, class Division>
HD double lone_element(const Work& work, const Place& place, const Division& division) {
  const int64_t column = place.column;
  const RowLayout row{place.row, place.offset - column * work.layout.inner, work.layout.inner};
  const auto targets = work.target.row(place.row);
  const bool counts = work.counts(row, targets, 0);
  const bool is_visited = column == (counts ? work.column(targets, 0) : 0);
  typename Work::Sums sums;
  if (!counts) {
    work.write_nothing(row, column, division);
  } else if (is_visited) {
    sums = work.visit(row, column, targets, {}, division);
  } else if (work.has_gaps()) {
    work.write_no_loss(row, column, division);
  }
  if (is_visited) work.write_row_loss(row, sums, division);
  if (counts && work.grad) work.write_grad(row, column, targets, {}, sums, division);
  return sums.loss;
}

}  // namespace culoss
