// The loops of the CPU engine.
#pragma once

#include "../core/whole_row.h"
#include "../losses/dispatch.h"
#include "elementwise.h"
#include "reduce.h"
#include "rows_abreast.h"
#include "rows_along.h"

namespace culoss::cpu {

struct Loops {
  Division division;
  double sum = 0;  // of the losses, undivided

  template <class T, class Term, class Link, class Sides, class Target>
  void elementwise(const Elementwise<T, Term, Link, Sides, Target>& work) {
    sum = sum_over_chunks(work.layout.elements(), kChunk, 1,
                          [&] { return ElementwiseLoop(work, division); });
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) {
    using Work = Rowwise<T, Term, Link, Target>;
    if (RowsAbreast<Work>::suits(work.layout)) {
      sum = RowsAbreast<Work>::run_all(work, division);
    } else if (work.layout.inner == 1) {
      sum = RowsAlong<Work>::run_all(work, division);
    } else {
      const int64_t rows = work.layout.rows();  // of very many elements that lie apart
      sum = sum_over_chunks(rows, 1, work.layout.columns, [&] {
        return
            [&](int64_t row, int64_t) { return whole_row(work, work.layout.row(row), division); };
      });
    }
  }
};

}  // namespace culoss::cpu
