// All steps of a row by one thread: what the CPU engine does, and the CUDA engine where the
// elements of a row lie apart.
#pragma once

#include "rowwise.h"

namespace culoss {

// Writes what is wanted of a row and returns its loss, undivided.
template <class Work>
HD double whole_row(const Work& work, int64_t row, const Division& division) {
  const int64_t columns = work.layout.columns;
  const auto targets = work.target.row(row);
  bool counts = false;
  for (int64_t k = 0; k < work.target.width() && !counts; ++k)
    counts = work.counts(row, targets, k);
  if (!counts) {
    for (int64_t c = 0; c < columns; ++c) work.write_nothing(row, c, division);
    work.write_row_loss(row, {}, division);
    return 0;
  }
  typename Work::Statistics statistics{};
  if constexpr (Work::kCoupled) {
    for (int64_t c = 0; c < columns; ++c) statistics = statistics + work.statistics(row, c);
  }
  if (work.has_gaps()) {
    for (int64_t c = 0; c < columns; ++c) work.write_no_loss(row, c, division);
  }
  typename Work::Sums sums;
  for (int64_t k = 0; k < work.width(); ++k) {
    sums = sums + work.visit(row, work.column(targets, k), targets, statistics, division);
  }
  work.write_row_loss(row, sums, division);
  if (work.grad) {
    for (int64_t c = 0; c < columns; ++c) {
      work.write_grad(row, c, targets, statistics, sums, division);
    }
  }
  return sums.loss;
}

}  // namespace culoss
