#include "../losses/dispatch.h"
#include "reduce.cuh"
#include "targets.h"

namespace culoss::cuda {
namespace {

// The lowest bad row stands; the last block reads its id for the message.
__global__ void __launch_bounds__(kThreads) find_bad_id(ClassIds ids, int64_t rows, Words* words) {
  TargetError& error = words->target_error;
  if (error.columns != 0) return;  // an earlier call has one that is not thrown yet
  for_each_of_tile(rows, [&](int64_t row) {
    if (ids.id(row) == ClassIds::kNone) {
      atomicMin(&error.row, static_cast<unsigned long long>(row));
    }
  });
  if (!is_last_block(&words->blocks_done) || threadIdx.x != 0) return;
  const unsigned long long row = __ldcg(&error.row);
  if (row == ~0ull) return;
  error.id = given_id(ids.ids, int64_t(row));
  error.columns = ids.columns;
}

template <class Normalization>
__global__ void __launch_bounds__(kThreads)
    normalization_kernel(Normalization normalization, Sum<double> sum_to) {
  double sum = 0;
  for_each_of_tile(normalization.items(), [&](int64_t item) { sum += normalization(item); });
  add_up<kThreads>(sum, sum_to, Division{1, 0});
}

}  // namespace

void check_class_ids(const Call& call, const Stream& stream) {
  const int64_t rows = call.layout.rows();
  if (rows == 0) return;
  const ClassIds ids{call.targets, call.layout.columns, call.criterion.ignored};
  launch("find_bad_id", find_bad_id, stream, Grid{tiles_of(rows), kThreads}, ids, rows,
         stream.words);
}

void sum_for_divisor(const Call& call, const Stream& stream, double* sum) {
  with_normalization(call, [&]<class Normalization>(const Normalization& normalization) {
    const int64_t blocks = std::max<int64_t>(1, tiles_of(normalization.items()));
    const Workspace<double> partials(stream, blocks);
    launch("normalization_kernel", normalization_kernel<Normalization>, stream,
           Grid{blocks, kThreads}, normalization,
           Sum<double>{partials.get(), &stream.words->blocks_done, sum});
  });
}

}  // namespace culoss::cuda
