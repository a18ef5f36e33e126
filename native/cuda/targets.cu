#include "../losses/dispatch.h"
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

template <class Normalization>
__global__ void __launch_bounds__(kThreads)
    normalization_kernel(Normalization normalization, double* partials) {
  double sum = 0;
  for_each_of_tile(normalization.items(), [&](int64_t item) { sum += normalization(item); });
  write_partial<kThreads>(sum, partials);
}

}  // namespace

void check_class_ids(const Call& call, const Device& device) {
  const int64_t rows = call.layout.rows();
  if (rows == 0) return;
  const ClassIds ids{call.targets, call.layout.columns, call.criterion.ignored};
  launch("find_bad_id", find_bad_id, device, tiles_of(rows), kThreads, ids, rows,
         device.target_error);
  launch("describe_bad_id", describe_bad_id, device, 1, 1, ids, device.target_error);
}

void sum_for_divisor(const Call& call, const Device& device, double* sum) {
  with_normalization(call, [&]<class Normalization>(const Normalization& normalization) {
    const int64_t blocks = tiles_of(normalization.items());
    const Workspace<double> partials(device, blocks);
    if (blocks > 0) {
      launch("normalization_kernel", normalization_kernel<Normalization>, device, blocks, kThreads,
             normalization, partials.get());
    }
    launch("sum_partials", sum_partials<double>, device, 1, kThreads, partials.get(), blocks,
           DivisionSource{{1, 0}, {}, 0}, sum);
  });
}

}  // namespace culoss::cuda
