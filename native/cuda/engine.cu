#include "engine.h"
#include "kernels.cuh"
#include "targets.h"

namespace culoss::cuda {

void run(const Call& call) {
  const Device& on = device(call.device);
  const Current current(call.device);
  if (call.target_kind == TargetKind::class_ids) check_class_ids(call, on);
  const bool count_targets = call.divisor_is_sum_of_targets();
  const Workspace<double> divisor(on, count_targets ? 1 : 0);
  if (count_targets) sum_of_targets(call, on, divisor.get());
  const Division known{call.divisor_from_shape(), call.criterion.value_of_empty};
  const Launcher launcher{on, {known, divisor.get()}, call.is_scalar() ? call.loss : nullptr};
  with_float_type(call.dtype, [&]<class T>(Type<T>) { launch_kernels<T>(call, launcher); });
}

}  // namespace culoss::cuda
