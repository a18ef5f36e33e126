// One thread a row: where the elements of a row lie apart, neighbours read neighbouring memory;
// where one element is all there is to a row, this gathers them.
#pragma once

#include "../core/whole_row.h"
#include "reduce.cuh"

namespace culoss::cuda {

// A row of which one element has a loss and a slope; the gradient is full of zeros already.
template <class Work>
__device__ double lone_element(const Work& work, const RowLayout& row, const Division& division) {
  using A = typename Work::A;
  const auto targets = work.target.row(row.row);
  typename Work::Visit visit;
  if (work.counts(row, targets)) {
    const A slope_of_division = A(division.slope());
    const Place place = row.at(targets.column(0));
    visit = work.visit(input_at(work, place), targets.template label<A>(place), place, {},
                       slope_of_division);
    if (work.grad) work.grad[place.offset] = store<typename Work::Stored>(visit.slope);
  }
  if (work.losses) work.losses[row.row] = work.row_loss(visit.sums, division);
  return visit.sums.loss;
}

template <class Work, class Out>
__global__ void __launch_bounds__(kThreads, 2)
    thread_rows_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  const Division division = source.read();
  double sum = 0;
  for_each_item(work.layout.rows(), [&](int64_t row) {
    if constexpr (Work::kIsLone) {
      sum += lone_element(work, work.layout.row(row), division);
    } else {
      sum += whole_row(work, work.layout.row(row), division);
    }
  });
  add_up<kThreads>(sum, sum_to, source);
}

}  // namespace culoss::cuda
