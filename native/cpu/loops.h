// The loops of the CPU engine.
#pragma once

#include "../losses/dispatch.h"
#include "elementwise.h"
#include "reduce.h"
#include "rowwise.h"

namespace culoss::cpu {

struct Loops {
  Division division;
  double sum = 0;  // of the losses, undivided

  template <class T, class Term, class Link, class Sides, class Target>
  void elementwise(const Elementwise<T, Term, Link, Sides, Target>& work) {
    sum = sum_over_chunks(work.layout.elements(), kChunk, 1, [&](int64_t begin, int64_t end) {
      return ElementwiseLoop(work, division).run(begin, end);
    });
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) {
    sum = RowwiseLoop<Rowwise<T, Term, Link, Target>>::run_all(work, division);
  }
};

}  // namespace culoss::cpu
