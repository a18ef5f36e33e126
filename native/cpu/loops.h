// The loops of the CPU engine, for one inputs dtype.
#pragma once

#include <algorithm>

#include "../core/whole_row.h"
#include "../losses/dispatch.h"
#include "reduce.h"

namespace culoss::cpu {

struct Loops {
  Division division;
  double sum = 0;  // of the losses, undivided

  // In the order of memory: along a row, or, where the class axis is not the last one, along the
  // elements that neighbouring rows have of one class.
  template <class T, class Term, class Link, class Sides, class Target>
  void elementwise(const Elementwise<T, Term, Link, Sides, Target>& work) {
    using A = Compute<T>;
    const Layout layout = work.layout;
    const A slope_of_division = A(division.slope());
    const auto visit = [&](const Place& place, const typename Target::Row& targets) {
      const Dual<A> loss = work(load(work.inputs[place.offset]), targets.template label<A>(place),
                                place, work.upstream(place, slope_of_division));
      if (work.losses) work.losses[place.offset] = A(division.of(loss.value));
      if (work.grad) work.grad[place.offset] = store<T>(loss.slope);
      return loss.value;
    };
    sum = sum_over_chunks(layout.elements(), kChunk, [&](int64_t begin, int64_t end) {
      double partial = 0;
      for (int64_t at = begin; at < end;) {
        Place place = layout.at_offset(at);
        if (layout.inner == 1) {
          const auto targets = work.target.row(place.row);
          const int64_t stop = std::min(end, at + layout.columns - place.column);
          for (; at < stop; ++place.column, place.offset = ++at) {
            partial += visit(place, targets);
          }
        } else {
          const int64_t stop = std::min(end, at + layout.inner - place.row % layout.inner);
          for (; at < stop; ++place.row, place.offset = ++at) {
            partial += visit(place, work.target.row(place.row));
          }
        }
      }
      return partial;
    });
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) {
    const Layout layout = work.layout;
    sum = sum_over_chunks(layout.rows(), rows_per_chunk(layout.columns),
                          [&](int64_t begin, int64_t end) {
                            double partial = 0;
                            for (int64_t row = begin; row < end; ++row) {
                              partial += whole_row(work, work.layout.row(row), division);
                            }
                            return partial;
                          });
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
