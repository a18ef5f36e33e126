// The kernels of the CUDA engine: who visits which element, and how the sums meet.
#pragma once

#include <algorithm>

#include "../core/whole_row.h"
#include "../losses/dispatch.h"
#include "reduce.cuh"

namespace culoss::cuda {

// Neighbouring elements that move as one.
template <class T, int kElements>
struct alignas(sizeof(T) * kElements) Pack {
  T of[kElements];
};

// Packs of a thread: as many loads are on their way at once.
constexpr int kPacks = 4;

// Each thread takes packs of elements that lie next to one another, the threads of a block next to
// one another's. The last elements, if they fill no pack, go one by one.
template <int kElements, class Work, class Out>
__global__ void __launch_bounds__(kThreads)
    elementwise_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  using Packed = Pack<typename Work::Stored, kElements>;
  constexpr int64_t kStride = int64_t(kThreads) * kElements;
  const Division division = source.read();
  const int64_t count = work.layout.elements();
  const int64_t first = blockIdx.x * kPacks * kStride + threadIdx.x * kElements;
  const auto is_whole = [&](int64_t at) { return at + kElements <= count; };

  Packed inputs[kPacks];
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int64_t at = first + p * kStride;
    if (is_whole(at)) inputs[p] = *reinterpret_cast<const Packed*>(work.inputs + at);
  }
  double sum = 0;
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const int64_t at = first + p * kStride;
    if (at >= count) continue;
    Place place = work.layout.at_offset(at);
    auto targets = work.target.row(place.row);
    const auto go_on = [&] {
      const Place next = work.layout.next(place);
      if (next.row != place.row) targets = work.target.row(next.row);
      place = next;
    };
    if (!is_whole(at)) {
      for (; place.offset < count; go_on()) sum += work(place, targets, division);
      continue;
    }
    Packed grads;
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      const auto visited = work.visit(inputs[p].of[e], place, targets, division);
      sum += visited.loss;
      grads.of[e] = visited.grad;
      if (e + 1 < kElements) go_on();
    }
    if (work.grad) *reinterpret_cast<Packed*>(work.grad + at) = grads;
  }
  add_up<kThreads>(sum, sum_to, division);
}

// One block a row, in the steps of `whole_row`. The row is read once from memory and then from
// cache.
template <int kBlock, class Work, class Out>
__global__ void __launch_bounds__(kBlock)
    rowwise_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  const Division division = source.read();
  const int64_t columns = work.layout.columns;
  double sum = 0;
  for (int64_t r = blockIdx.x; r < work.layout.rows(); r += gridDim.x) {
    const RowLayout row = work.layout.row(r);
    const auto targets = work.target.row(r);
    int counts = 0;
    for (int64_t k = threadIdx.x; k < work.target.width() && !counts; k += kBlock) {
      counts = work.counts(row, targets, k);
    }
    if (!__syncthreads_or(counts)) {  // alike for all threads
      for (int64_t c = threadIdx.x; c < columns; c += kBlock) work.write_nothing(row, c, division);
      if (threadIdx.x == 0) work.write_row_loss(row, {}, division);
      continue;
    }
    typename Work::Statistics statistics{};
    if constexpr (Work::kCoupled) {
      auto& [peak, rest] = statistics;
      for (int64_t c = threadIdx.x; c < columns; c += kBlock) peak = peak + work.peak(row, c);
      peak = sum_of_block<kBlock>(peak);
      for (int64_t c = threadIdx.x; c < columns; c += kBlock) rest += work.rest(row, c, peak);
      rest = sum_of_block<kBlock>(rest);
    }
    if (work.has_gaps()) {
      for (int64_t c = threadIdx.x; c < columns; c += kBlock) work.write_no_loss(row, c, division);
      __syncthreads();  // before other threads visit what is no gap
    }
    typename Work::Sums sums;
    for (int64_t k = threadIdx.x; k < work.width(); k += kBlock) {
      sums = sums + work.visit(row, work.column(targets, k), targets, statistics, division);
    }
    sums = sum_of_block<kBlock>(sums);
    sum += sums.loss;
    if (threadIdx.x == 0) work.write_row_loss(row, sums, division);
    if (work.grad == nullptr) continue;
    for (int64_t column = threadIdx.x; column < columns; column += kBlock) {
      work.write_grad(row, column, targets, statistics, sums, division);
    }
  }
  add_up<kBlock>(threadIdx.x == 0 ? sum : 0, sum_to, division);  // all threads have it
}

// Elements that stand by themselves: one write of the gradient, one read for each row.
template <class Work, class Out>
__global__ void __launch_bounds__(kThreads)
    lone_elements_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  const Division division = source.read();
  double sum = 0;
  for_each_of_tile(work.layout.elements(), [&](int64_t at) {
    sum += lone_element(work, work.layout.at_offset(at), division);
  });
  add_up<kThreads>(sum, sum_to, division);
}

// One thread a row: where the elements of a row lie apart, neighbours read neighbouring memory;
// where one element is all there is to a row, this gathers them.
template <class Work, class Out>
__global__ void __launch_bounds__(kThreads)
    thread_rows_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  const Division division = source.read();
  double sum = 0;
  for_each_of_tile<kSmallTile>(work.layout.rows(), [&](int64_t row) {
    sum += whole_row(work, work.layout.row(row), division);
  });
  add_up<kThreads>(sum, sum_to, division);
}

// Launches the kernels of one call.
struct Launcher {
  const Stream& stream;
  DivisionSource division;
  void* scalar;  // where mean and sum go, or null

  template <class T, class Term, class Link, class Target>
  void elementwise(const Elementwise<T, Term, Link, Target>& work) const {
    using Work = Elementwise<T, Term, Link, Target>;
    using A = Compute<T>;
    // 16 bytes at a time where memory is aligned to them.
    constexpr int kElements = 16 / sizeof(T);
    const int64_t count = work.layout.elements();
    const auto address =
        reinterpret_cast<uintptr_t>(work.inputs) | reinterpret_cast<uintptr_t>(work.grad);
    if (address % 16 == 0) {
      run<A>({"elementwise_kernel"}, elementwise_kernel<kElements, Work, A>, work,
             tiles_of(count, kThreads * kPacks * kElements), kThreads);
    } else {
      run<A>({"elementwise_kernel"}, elementwise_kernel<1, Work, A>, work,
             tiles_of(count, kThreads * kPacks), kThreads);
    }
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) const {
    using Work = Rowwise<T, Term, Link, Target>;
    using A = Compute<T>;
    constexpr int kShort = 32;
    constexpr int64_t kMostBlocks = 1 << 12;  // their partials are added by one block
    const int64_t rows = work.layout.rows(), columns = work.layout.columns;
    if constexpr (!Work::kCoupled) {
      if (has_lone_elements(work) && (work.grad != nullptr || work.per_element)) {
        return run<A>({"lone_elements_kernel"}, lone_elements_kernel<Work, A>, work,
                      tiles_of(rows * columns), kThreads);
      }
    }
    if (work.layout.inner > 1 || has_lone_elements(work)) {
      run<A>({"thread_rows_kernel"}, thread_rows_kernel<Work, A>, work, tiles_of(rows, kSmallTile),
             kThreads);
    } else if (columns <= 8 * kShort) {
      run<A>({"rowwise_kernel"}, rowwise_kernel<kShort, Work, A>, work, std::min(rows, kMostBlocks),
             kShort);
    } else {
      run<A>({"rowwise_kernel"}, rowwise_kernel<kThreads, Work, A>, work,
             std::min(rows, kMostBlocks), kThreads);
    }
  }

 private:
  template <class A, class Work>
  void run(Site site, void (*kernel)(Work, DivisionSource, Sum<A>), const Work& work,
           int64_t blocks, int threads) const {
    if (blocks == 0 && scalar == nullptr) return;
    blocks = std::max<int64_t>(blocks, 1);  // the sum of nothing is a number, too
    const Workspace<double> partials(stream, scalar ? blocks : 0);
    const Sum<A> sum{partials.get(), &stream.words->blocks_done, static_cast<A*>(scalar)};
    launch(site, kernel, stream, Grid{blocks, threads}, work, division, sum);
  }
};

// Each dtype is compiled in a file of its own, side by side.
template <class T>
void launch_kernels(const Call& call, const Launcher& launcher) {
  with_loss<T>(call, launcher);
}

extern template void launch_kernels<float>(const Call&, const Launcher&);
extern template void launch_kernels<double>(const Call&, const Launcher&);
extern template void launch_kernels<float16>(const Call&, const Launcher&);
extern template void launch_kernels<bfloat16>(const Call&, const Launcher&);

}  // namespace culoss::cuda
