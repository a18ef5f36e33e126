// The kernels of the CUDA engine: who visits which element, and how the sums meet.
#pragma once

#include "../losses/dispatch.h"
#include "reduce.cuh"

namespace culoss::cuda {

// Elements of a block. Fixed, so that the order of the sums does not depend on the device.
constexpr int64_t kTile = kThreads * 8;

// One thread an element, eight times.
template <class Work>
__global__ void __launch_bounds__(kThreads)
    elementwise_kernel(Work work, DivisionSource source, double* partials) {
  const Division division = source.read();
  const int64_t size = work.rows * work.columns;
  const int64_t first = int64_t(blockIdx.x) * kTile + threadIdx.x;
  double sum = 0;
  for (int64_t k = 0; k < kTile; k += kThreads) {
    const int64_t at = first + k;
    if (at >= size) break;
    const int64_t row = at / work.columns;
    sum += work(row, at - row * work.columns, work.target.row(row), division);
  }
  if (partials == nullptr) return;
  sum = sum_of_block<kThreads>(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// One block a row: statistics, sums, gradient. The row is read once from memory and then from
// cache.
template <int kBlock, class Work>
__global__ void __launch_bounds__(kBlock)
    rowwise_kernel(Work work, DivisionSource source, double* partials) {
  const Division division = source.read();
  for (int64_t row = blockIdx.x; row < work.rows; row += gridDim.x) {
    const auto targets = work.target.row(row);
    typename Work::Statistics statistics{};
    if constexpr (Work::kCoupled) {
      for (int64_t column = threadIdx.x; column < work.columns; column += kBlock) {
        statistics = statistics + work.statistics(row, column);
      }
      statistics = sum_of_block<kBlock>(statistics);
    }
    typename Work::Sums sums;
    for (int64_t k = threadIdx.x; k < work.target.width(); k += kBlock) {
      const int64_t column = targets.column(k);
      if (column >= 0) sums = sums + work.visit(row, column, targets, statistics, division);
    }
    sums = sum_of_block<kBlock>(sums);
    if (threadIdx.x == 0) {
      work.write_row_loss(row, sums, division);
      if (partials) partials[row] = sums.loss;
    }
    if (work.grad == nullptr) continue;
    for (int64_t column = threadIdx.x; column < work.columns; column += kBlock) {
      work.write_grad(row, column, targets, statistics, sums, division);
    }
  }
}

// Launches the kernels of one call.
struct Launcher {
  const Device& device;
  DivisionSource division;
  void* scalar;  // where mean and sum go, or null

  template <class T, class Term, class Link, class Target>
  void elementwise(const Elementwise<T, Term, Link, Target>& work) const {
    using Work = Elementwise<T, Term, Link, Target>;
    const int64_t blocks = (work.rows * work.columns + kTile - 1) / kTile;
    const Workspace<double> partials(device, scalar ? blocks : 0);
    if (blocks > 0) {
      launch("elementwise_kernel", elementwise_kernel<Work>, device, blocks, kThreads, work,
             division, partials.get());
    }
    finish<Compute<T>>(partials.get(), blocks);
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) const {
    using Work = Rowwise<T, Term, Link, Target>;
    constexpr int kShort = 32;
    constexpr int64_t kMostBlocks = 1 << 20;
    const Workspace<double> partials(device, scalar ? work.rows : 0);
    if (work.per_element) clear(work.losses, work.rows * work.columns);
    const int64_t blocks = std::min(work.rows, kMostBlocks);
    if (blocks > 0 && work.columns <= 8 * kShort) {
      launch("rowwise_kernel", rowwise_kernel<kShort, Work>, device, blocks, kShort, work, division,
             partials.get());
    } else if (blocks > 0) {
      launch("rowwise_kernel", rowwise_kernel<kThreads, Work>, device, blocks, kThreads, work,
             division, partials.get());
    }
    finish<Compute<T>>(partials.get(), work.rows);
  }

 private:
  template <class A>
  void clear(A* memory, int64_t count) const {
    check(cudaMemsetAsync(memory, 0, count * sizeof(A), device.stream), "cudaMemsetAsync");
  }

  template <class A>
  void finish(const double* partials, int64_t count) const {
    if (scalar == nullptr) return;
    launch("sum_partials", sum_partials<A>, device, 1, kThreads, partials, count, division,
           static_cast<A*>(scalar));
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
