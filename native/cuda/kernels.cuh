// The kernels of the CUDA engine: who visits which element, and how the sums meet.
#pragma once

#include <algorithm>

#include "../losses/dispatch.h"
#include "reduce.cuh"

namespace culoss::cuda {

template <class Work>
__global__ void __launch_bounds__(kThreads)
    elementwise_kernel(Work work, DivisionSource source, double* partials) {
  const Division division = source.read();
  double sum = 0;
  for_each_of_tile(work.rows * work.columns, [&](int64_t at) {
    const int64_t row = at / work.columns;
    sum += work(row, at - row * work.columns, work.target.row(row), division);
  });
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
  double sum = 0;
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
    sum += sums.loss;
    if (threadIdx.x == 0) work.write_row_loss(row, sums, division);
    if (work.grad == nullptr) continue;
    for (int64_t column = threadIdx.x; column < work.columns; column += kBlock) {
      work.write_grad(row, column, targets, statistics, sums, division);
    }
  }
  if (partials && threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// Launches the kernels of one call.
struct Launcher {
  const Device& device;
  DivisionSource division;
  void* scalar;  // where mean and sum go, or null

  template <class T, class Term, class Link, class Target>
  void elementwise(const Elementwise<T, Term, Link, Target>& work) const {
    using Work = Elementwise<T, Term, Link, Target>;
    const int64_t blocks = tiles_of(work.rows * work.columns);
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
    constexpr int64_t kMostBlocks = 1 << 16;
    const int64_t blocks = std::min(work.rows, kMostBlocks);
    const Workspace<double> partials(device, scalar ? blocks : 0);
    // What is not visited has no loss.
    const bool is_sparse = work.target.width() < work.columns;
    if (work.per_element && is_sparse) clear(work.losses, work.rows * work.columns);
    if (blocks > 0 && work.columns <= 8 * kShort) {
      launch("rowwise_kernel", rowwise_kernel<kShort, Work>, device, blocks, kShort, work, division,
             partials.get());
    } else if (blocks > 0) {
      launch("rowwise_kernel", rowwise_kernel<kThreads, Work>, device, blocks, kThreads, work,
             division, partials.get());
    }
    finish<Compute<T>>(partials.get(), blocks);
  }

 private:
  template <class A>
  void clear(A* memory, int64_t count) const {
    if (count == 0) return;
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
