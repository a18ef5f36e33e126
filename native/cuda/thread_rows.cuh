// One thread a row: where the elements of a row lie apart, neighbours read neighbouring memory;
// where one element is all there is to a row, this gathers them.
#pragma once

#include "../core/whole_row.h"
#include "reduce.cuh"

namespace culoss::cuda {

template <class Work, class Out>
__global__ void __launch_bounds__(kThreads, 2)
    thread_rows_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  const Division division = source.read();
  double sum = 0;
  for_each_item(work.layout.rows(),
                [&](int64_t row) { sum += whole_row(work, work.layout.row(row), division); });
  add_up<kThreads>(sum, sum_to, source);
}

}  // namespace culoss::cuda
