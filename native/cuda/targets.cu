#include "reduce.cuh"
#include "targets.h"

namespace culoss::cuda {
namespace {

constexpr int64_t kPerThread = 8;

int64_t blocks_for(int64_t count) {
  return (count + kThreads * kPerThread - 1) / (kThreads * kPerThread);
}

// Calls f(i) for each i of this block's part of [0, count).
template <class F>
__device__ void for_each_of_block(int64_t count, F&& f) {
  const int64_t first = int64_t(blockIdx.x) * kThreads * kPerThread + threadIdx.x;
  for (int64_t k = 0; k < kPerThread; ++k) {
    const int64_t i = first + k * kThreads;
    if (i < count) f(i);
  }
}

__global__ void __launch_bounds__(kThreads)
    find_bad_id(ClassIds ids, int64_t rows, TargetError* error) {
  if (error->columns != 0) return;  // an earlier call has one that is not thrown yet
  for_each_of_block(rows, [&](int64_t row) {
    if (ids.id(row) == ClassIds::kNone)
      atomicMin(&error->row, static_cast<unsigned long long>(row));
  });
}

// After all blocks have looked: the lowest row stands, its id is read for the message.
__global__ void describe_bad_id(ClassIds ids, TargetError* error) {
  if (error->columns != 0 || error->row == ~0ull) return;
  error->id = load<double>(ids.ids, int64_t(error->row));
  error->columns = ids.columns;
}

__global__ void __launch_bounds__(kThreads)
    sum_targets(ConstArray targets, int64_t count, double* partials) {
  double sum = 0;
  for_each_of_block(count, [&](int64_t i) { sum += load<double>(targets, i); });
  sum = sum_of_block<kThreads>(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

}  // namespace

void check_class_ids(const Call& call, const Device& device) {
  if (call.rows == 0) return;
  const ClassIds ids{call.targets, call.columns};
  launch("find_bad_id", find_bad_id, device, blocks_for(call.rows), kThreads, ids, call.rows,
         device.target_error);
  launch("describe_bad_id", describe_bad_id, device, 1, 1, ids, device.target_error);
}

void sum_of_targets(const Call& call, const Device& device, double* sum) {
  const int64_t count = call.rows * call.columns;
  const int64_t blocks = blocks_for(count);
  const Workspace<double> partials(device, blocks);
  if (blocks > 0) {
    launch("sum_targets", sum_targets, device, blocks, kThreads, call.targets, count,
           partials.get());
  }
  launch("sum_partials", sum_partials<double>, device, 1, kThreads, partials.get(), blocks,
         DivisionSource{{1, 0}, nullptr}, sum);
}

}  // namespace culoss::cuda
