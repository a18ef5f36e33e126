// The loops of the CPU engine, for one inputs dtype.
#pragma once

#include <algorithm>

#include "../losses/dispatch.h"
#include "reduce.h"

namespace culoss::cpu {

struct Loops {
  Division division;
  double sum = 0;  // of the losses, undivided

  template <class T, class Term, class Link, class Target>
  void elementwise(const Elementwise<T, Term, Link, Target>& work) {
    sum = sum_over_chunks(work.rows * work.columns, kChunk, [&](int64_t begin, int64_t end) {
      double partial = 0;
      int64_t row = begin / work.columns;
      int64_t column = begin % work.columns;
      for (int64_t at = begin; at < end; ++row, column = 0) {
        const auto targets = work.target.row(row);
        const int64_t stop = std::min(work.columns, column + end - at);
        for (; column < stop; ++column, ++at) partial += work(row, column, targets, division);
      }
      return partial;
    });
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) {
    const int64_t chunk = rows_per_chunk(work.columns);
    sum = sum_over_chunks(work.rows, chunk, [&](int64_t begin, int64_t end) {
      double partial = 0;
      for (int64_t row = begin; row < end; ++row) partial += one_row(work, row);
      return partial;
    });
  }

 private:
  template <class Work>
  double one_row(const Work& work, int64_t row) const {
    const auto targets = work.target.row(row);
    typename Work::Statistics statistics{};
    if constexpr (Work::kCoupled) {
      for (int64_t column = 0; column < work.columns; ++column) {
        statistics = statistics + work.statistics(row, column);
      }
    }
    // What is not visited below has no loss.
    const bool is_sparse = work.target.width() < work.columns;
    if (work.per_element && is_sparse) {
      std::fill_n(work.losses + row * work.columns, work.columns, 0);
    }
    typename Work::Sums sums;
    for (int64_t k = 0; k < work.target.width(); ++k) {
      const int64_t column = targets.column(k);
      if (column >= 0) sums = sums + work.visit(row, column, targets, statistics, division);
    }
    work.write_row_loss(row, sums, division);
    if (work.grad) {
      for (int64_t column = 0; column < work.columns; ++column) {
        work.write_grad(row, column, targets, statistics, sums, division);
      }
    }
    return sums.loss;
  }
};

// Each dtype is compiled in a file of its own, side by side.
template <class T>
double run_loops(const Call& call, const Division& division) {
  Loops loops{division};
  with_loss<T>(call, loops);
  return loops.sum;
}

extern template double run_loops<float>(const Call&, const Division&);
extern template double run_loops<double>(const Call&, const Division&);
extern template double run_loops<float16>(const Call&, const Division&);
extern template double run_loops<bfloat16>(const Call&, const Division&);

}  // namespace culoss::cpu
