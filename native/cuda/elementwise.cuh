// Elements that stand by themselves: each is read once, and its gradient written once.
#pragma once

#include "../core/places.h"
#include "../losses/elementwise.h"
#include "packs.cuh"
#include "reduce.cuh"

namespace culoss::cuda {

// Packs that a thread takes at once: what is found out about where they are is shared by them.
template <class Work>
constexpr int kPacksAtOnce = Work::kIsCheap && sizeof(typename Work::Stored) == 4 ? 2 : 1;

// Twice what fits into a device of 132 multiprocessors: where a thread is, is found out once for
// many packs.
constexpr int64_t kMostElementwiseBlocks = 2 * 4 * 132;

// Blocks that a multiprocessor shall hold at least. It bounds the registers of a thread, and tells
// the compiler not to spill for the sake of more blocks.
template <class Work>
constexpr int kResidentBlocks = Work::kIsCheap && sizeof(typename Work::A) == 4 ? 4 : 2;

// Neighbouring packs of a thread.
struct Packs {
  int64_t at;  // where the first one begins
  // Where that is, if the elements of a row lie next to one another.
  int64_t row;
  int64_t column;
};

// What the threads of a launch do with packs.
template <class Work>
struct PackLoop {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using Targets = typename decltype(Work::target)::Row;
  static constexpr int kPack = kPackElements<T>;
  static constexpr int kPacks = kPacksAtOnce<Work>;
  static constexpr int kElements = kPack * kPacks;
  using Inputs = A[kElements];
  using Labels = Label<A>[kElements];
  using Losses = Dual<A>[kElements];

  const Work& work;
  Run<T> run;
  Outputs<T> outputs;
  A slope_of_division;
  A upstream;  // where it is uniform

  __device__ PackLoop(const Work& work, const DivisionSource& source)
      : work(work),
        run(Run<T>::of(work.inputs, work.layout.elements())),
        outputs{Work::kIsUniform ? nullptr : work.losses, work.grad, source},
        slope_of_division(A(source.read().slope())),
        upstream(work.upstream({}, slope_of_division)) {}

  // Visits the packs of this thread, and returns the sum of their losses. Rows and columns are
  // added up, for a division takes long.
  __device__ double visit_all() const {
    const int64_t columns = work.layout.columns, step = int64_t(gridDim.x) * kThreads * kElements;
    Packs packs{run.start((int64_t(blockIdx.x) * kThreads + threadIdx.x) * kPacks)};
    if (packs.at >= run.size) return 0;
    // Before the first element, so that a step leads to where it does from anywhere else.
    packs.row = packs.at < 0 ? -Layout::quotient(columns - 1 - packs.at, columns)
                             : Layout::quotient(packs.at, columns);
    packs.column = packs.at - packs.row * columns;
    const bool has_more = packs.at + step < run.size;
    const int64_t rows_of_step = has_more ? Layout::quotient(step, columns) : 0;
    const int64_t columns_of_step = step - rows_of_step * columns;
    double sum = 0;
    for (;;) {
      visit(packs, sum);
      packs.at += step;
      if (packs.at >= run.size) return sum;
      packs.row += rows_of_step;
      packs.column += columns_of_step;
      if (packs.column >= columns) {
        packs.column -= columns;
        ++packs.row;
      }
    }
  }

 private:
  // Writes losses and slopes, and adds the losses to `sum`.
  __device__ void visit(const Packs& packs, double& sum) const {
    const bool can_cross_rows = Work::kIsUniform;  // class ids know their rows; others need none
    const bool is_of_one_row = packs.column + kElements <= work.layout.columns;
    const bool are_whole = packs.at >= 0 && packs.at + kElements <= run.size;
    if (!are_whole || work.layout.inner != 1 || !(is_of_one_row || can_cross_rows)) {
      return visit_one_by_one(packs.at, kElements, sum);
    }
    const Targets targets = work.target.row(packs.row);
    const Place place{packs.row, packs.column, packs.at};
    Inputs x;
    Labels labels;
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const auto inputs = std::bit_cast<Pack<T>>(run.raw(packs.at + p * kPack));
#pragma unroll
      for (int e = 0; e < kPack; ++e) x[p * kPack + e] = load(inputs.of[e]);
    }
    if constexpr (!Work::kIsHard) targets.labels(place, labels);
    if (Work::kIsUniform && !is_regular(x, labels)) {
      return visit_one_by_one(packs.at, kElements, sum);
    }
    Losses losses;
    if constexpr (Work::kIsHard) {
      evaluate_ids(x, targets, place, losses);
    } else {
      evaluate_labels(x, labels, place, losses);
    }
    write(packs.at, losses, sum);
  }

  // Whether no guard is needed, and no element has two sides.
  __device__ bool is_regular(const Inputs& x, const Labels& labels) const {
    bool is_regular = isfinite(upstream);
#pragma unroll
    for (int e = 0; e < kElements; ++e) is_regular = is_regular && work.is_regular(x[e]);
    if constexpr (Work::kIsUniform && !Work::kIsHard) {
      is_regular = is_regular && !work.sides.shares.smoothing.is_on();
#pragma unroll
      for (int e = 0; e < kElements; ++e) {
        const auto& [y, counts] = labels[e];
        is_regular = is_regular && counts && y * y == y;
      }
    }
    return is_regular;
  }

  __device__ void write(int64_t at, const Losses& losses, double& sum) const {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      A of_pack = 0;  // few losses: their sum may be as narrow as they are
      Pack<A, kPack> values, slopes;
#pragma unroll
      for (int e = 0; e < kPack; ++e) {
        values.of[e] = losses[p * kPack + e].value;
        slopes.of[e] = losses[p * kPack + e].slope;
        of_pack += values.of[e];
      }
      outputs.write(run, at + p * kPack, values, slopes);
      sum += double(of_pack);
    }
  }

  // Class ids: all are taken for negatives, and then the one positive of each row is mended.
  // Its input is read again, which is still in the cache: held for it, all of a pack would spill.
  // `targets` are those of the first row.
  __device__ void evaluate_ids(const Inputs& x, Targets targets, const Place& first,
                               Losses& losses) const {
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      losses[e] = work.template of_side<true>(x[e], false, work.sides.negative, upstream);
    }
    int64_t row = first.row;
    for (int64_t begin = -first.column;;) {  // of the row, seen from the first element
      const int64_t end = begin + work.layout.columns, positive = begin + targets.column(0);
      if (!targets.counts()) {
#pragma unroll
        for (int e = 0; e < kElements; ++e) {
          if (e >= begin && e < end) losses[e] = {0, 0};
        }
      } else if (positive >= 0 && positive < kElements) {
        mend(load(run.begin[first.offset + positive]), int(positive), losses);
      }
      if (end >= kElements) return;
      begin = end;
      targets = work.target.row(++row);
    }
  }
  __device__ void mend(A x, int positive, Losses& losses) const {
    const auto loss = work.template of_side<true>(x, true, work.sides.positive, upstream);
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if (e == positive) losses[e] = loss;
    }
  }

  // Dense targets; where sides are uniform, they are 0 or 1.
  __device__ void evaluate_labels(const Inputs& x, const Labels& labels, const Place& first,
                                  Losses& losses) const {
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      if constexpr (Work::kIsUniform) {
        const bool is_positive = labels[e].y != 0;
        const A weight = is_positive ? work.sides.positive : work.sides.negative;
        losses[e] = work.template of_side<true>(x[e], is_positive, weight, upstream);
      } else {
        const Place place{first.row, first.column + e, first.offset + e};
        losses[e] = evaluate_one(x[e], labels[e], place);
      }
    }
  }

  __device__ Dual<A> evaluate_one(A x, const Label<A>& label, const Place& place) const {
    return work(x, label, place,
                Work::kIsUniform ? upstream : work.upstream(place, slope_of_division));
  }

  // `n` elements that are not all in the run, lie in several rows, or are not regular.
  __device__ void visit_one_by_one(int64_t at, int n, double& sum) const {
    const int64_t end = at + n < run.size ? at + n : run.size;
    A of_pack = 0;
    for_each_place(work, at < 0 ? 0 : at, end, [&](const Place& place, const Targets& targets) {
      const A x = load(run.begin[place.offset]);
      const Dual<A> loss = evaluate_one(x, targets.template label<A>(place), place);
      outputs.write(place.offset, loss);
      of_pack += loss.value;
      if ((place.offset + 1 + run.shift) % kPack == 0 || place.offset + 1 == end) {
        sum += double(of_pack);
        of_pack = 0;
      }
    });
  }
};

template <class Work, class Out>
__global__ void __launch_bounds__(kThreads, kResidentBlocks<Work>)
    elementwise_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  add_up<kThreads>(PackLoop<Work>(work, source).visit_all(), sum_to, source);
}

}  // namespace culoss::cuda
