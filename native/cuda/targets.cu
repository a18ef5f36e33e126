#include "reduce.cuh"
#include "targets.h"

namespace culoss::cuda {
namespace {

__global__ void __launch_bounds__(kThreads)
    find_bad_id(ClassIds ids, int64_t rows, TargetError* error) {
  if (error->columns != 0) return;  // an earlier call has one that is not thrown yet
  for_each_of_tile(rows, [&](int64_t row) {
    if (ids.id(row) == ClassIds::kNone)
      atomicMin(&error->row, static_cast<unsigned long long>(row));
  });
}

// After all blocks have looked: the lowest row stands, its id is read for the message.
__global__ void describe_bad_id(ClassIds ids, TargetError* error) {
  if (error->columns != 0 || error->row == ~0ull) return;
  error->id = given_id(ids.ids, int64_t(error->row));
  error->columns = ids.columns;
}

__global__ void __launch_bounds__(kThreads)
    sum_targets(ConstArray targets, int64_t count, double* partials) {
  double sum = 0;
  for_each_of_tile(count, [&](int64_t i) { sum += load<double>(targets, i); });
  sum = sum_of_block<kThreads>(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

}  // namespace

void check_class_ids(const Call& call, const Device& device) {
  if (call.rows == 0) return;
  const ClassIds ids{call.targets, call.columns};
  launch("find_bad_id", find_bad_id, device, tiles_of(call.rows), kThreads, ids, call.rows,
         device.target_error);
  launch("describe_bad_id", describe_bad_id, device, 1, 1, ids, device.target_error);
}

void sum_of_targets(const Call& call, const Device& device, double* sum) {
  const int64_t count = call.rows * call.columns;
  const int64_t blocks = tiles_of(count);
  const Workspace<double> partials(device, blocks);
  if (blocks > 0) {
    launch("sum_targets", sum_targets, device, blocks, kThreads, call.targets, count,
           partials.get());
  }
  launch("sum_partials", sum_partials<double>, device, 1, kThreads, partials.get(), blocks,
         DivisionSource{{1, 0}, nullptr}, sum);
}

}  // namespace culoss::cuda
