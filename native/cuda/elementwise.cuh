// Elements that stand by themselves: each is read once, and its gradient written once.
#pragma once

#include "../losses/elementwise.h"
#include "packs.cuh"
#include "reduce.cuh"

namespace culoss::cuda {

// Packs of a thread in a tile: as many loads are on their way at once. The packs of a block lie
// next to one another.
template <class T, int kPacks>
constexpr int64_t kTileElements = int64_t(kThreads) * kPacks* kPackElements<T>;

// From a pack of a thread to its next one, as the engine computes it before the launch.
template <class T>
Position step_between_packs(const Layout& layout) {
  return layout.position(int64_t(kThreads) * kPackElements<T>);
}

// Calls `visit(p, at, position)` for the packs of this thread, after `fetch(p, at)` for all of a
// tile: the pack begins at `at`, `position` is that of its first element in the run.
template <int kPacks, class T, class Fetch, class Visit>
__device__ void for_each_pack(const Run<T>& run, const Layout& layout, const Position& step,
                              Fetch&& fetch, Visit&& visit) {
  constexpr int64_t kStride = int64_t(kThreads) * Run<T>::kPack;
  for (int64_t tile = blockIdx.x; tile * kPacks * kThreads < run.packs(); tile += gridDim.x) {
    const int64_t first = run.start(tile * kPacks * kThreads + threadIdx.x);
#pragma unroll
    for (int p = 0; p < kPacks; ++p) fetch(p, first + p * kStride);
    Position position{};
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int64_t at = first + p * kStride;
      if (at >= run.size) continue;
      const bool goes_on = p > 0 && at >= kStride;  // the pack before begins in the run, too
      position = goes_on ? layout.sum(position, step) : layout.position(at < 0 ? 0 : at);
      visit(p, at, position);
    }
  }
}

// Writes the loss and the slope that `f(x, label, place)` has for each element of a pack. A pack
// that ends in another row than it begins in, or sticks out of the run, goes one by one.
template <class Work, class T, class F>
__device__ void visit_pack(const Work& work, const Run<T>& run, const Pack<T>& inputs, int64_t at,
                           const Position& position, const Outputs<T>& outputs, F&& f) {
  constexpr int kPack = Run<T>::kPack;
  using A = Compute<T>;
  if (run.is_whole(at) && work.layout.inner == 1 &&
      position.column + kPack <= work.layout.columns) {
    const Place first{position.outer, position.column, at};
    outputs.write_whole(run, at, inputs, work.target.row(first.row), first, f);
    return;
  }
  const int64_t end = at + kPack < run.size ? at + kPack : run.size;
  Place place = work.layout.at(position);
  auto targets = work.target.row(place.row);
#pragma unroll 1
  for (Position here = position; place.offset < end;) {
    outputs.write(place.offset,
                  f(load(run.begin[place.offset]), targets.template label<A>(place), place));
    here = work.layout.next(here);
    const Place next = work.layout.at(here);
    if (next.row != place.row && next.offset < end) targets = work.target.row(next.row);
    place = next;
  }
}

template <class Work>
constexpr int kPacksInFlight = Work::kIsCheap ? 2 : 1;

// Blocks that a multiprocessor shall hold at least. It bounds the registers of a thread, and tells
// the compiler not to spill for the sake of more blocks.
template <class Work>
constexpr int kResidentBlocks = !Work::kIsCheap                                  ? 2
                                : Work::kIsHard && sizeof(typename Work::A) == 4 ? 4
                                                                                 : 3;

template <class Work, class Out>
__global__ void __launch_bounds__(kThreads, kResidentBlocks<Work>)
    elementwise_kernel(Work work, Position step, DivisionSource source, Sum<Out> sum_to) {
  using T = typename Work::Stored;
  using A = typename Work::A;
  constexpr int kPacks = kPacksInFlight<Work>;
  const A slope_of_division = A(source.read().slope());
  const A upstream = work.upstream({}, slope_of_division);  // where it is uniform
  const auto run = Run<T>::of(work.inputs, work.layout.elements());
  const Outputs<T> outputs{Work::kIsUniform ? nullptr : work.losses, work.grad, source};
  Pack<T> inputs[kPacks];
  double sum = 0;
  for_each_pack<kPacks>(
      run, work.layout, step, [&](int p, int64_t at) { inputs[p] = run.load(at, T{}); },
      [&](int p, int64_t at, const Position& position) {
        A partial = 0;  // of few losses
        visit_pack(work, run, inputs[p], at, position, outputs,
                   [&](A x, const Label<A>& label, const Place& place) {
                     const Dual<A> loss = work(
                         x, label, place,
                         Work::kIsUniform ? upstream : work.upstream(place, slope_of_division));
                     partial += loss.value;
                     return loss;
                   });
        sum += double(partial);
      });
  add_up<kThreads>(sum, sum_to, source);
}

// Of each row, one element has a loss and a slope, and nothing else is read: one write of the
// gradient. The row's loss is written where that element is, or is the first of a row without one.
template <class Work, class Out>
__global__ void __launch_bounds__(kThreads, 2)
    lone_elements_kernel(Work work, Position step, DivisionSource source, Sum<Out> sum_to) {
  using T = typename Work::Stored;
  using A = typename Work::A;
  const A slope_of_division = A(source.read().slope());
  const auto run = Run<T>::of(work.grad, work.layout.elements());
  const Outputs<T> outputs{nullptr, work.grad, source};
  double sum = 0;
  const auto visit = [&](A, const Label<A>& label, const Place& place) -> Dual<A> {
    if (label.counts ? label.y == 0 : place.column != 0) return {0, 0};
    typename Work::Sums sums;
    A slope = 0;
    if (label.counts) {
      const A x = load(work.inputs[place.offset]);
      sums = work.visit(x, label, place, {}, slope_of_division);
      slope = work.slope(x, label, place, {}, sums, slope_of_division);
    }
    sum += sums.loss;
    if (work.losses) work.losses[place.row] = work.row_loss(sums, source.read());
    return {0, slope};
  };
  for_each_pack<1>(
      run, work.layout, step, [](int, int64_t) {},
      [&](int, int64_t at, const Position& position) {
        visit_pack(work, run, Pack<T>{}, at, position, outputs, visit);
      });
  add_up<kThreads>(sum, sum_to, source);
}

}  // namespace culoss::cuda
