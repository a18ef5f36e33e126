#include "engine.h"
#include "kernels.cuh"
#include "targets.h"

namespace culoss::cuda {

void run(const Call& call, std::span<const Use> uses) {
  const Current current(call.device);
  Stream& on = stream_on(device(call.device));
  const Criterion& criterion = call.criterion;
  const bool has_ids = call.target_kind == TargetKind::class_ids;
  const bool is_eager = has_ids && criterion.validate == Validate::eager;
  if (is_eager) expect_no_capture("validate: 'eager', which waits");
  order(on, uses);
  if (has_ids && criterion.validate != Validate::off) check_class_ids(call, on);
  if (is_eager) synchronize(call.device);
  const std::optional<double> known = call.known_divisor();
  const bool is_summed = !known && criterion.normalizer != Normalizer::given;
  const Workspace<double> sum(on, is_summed ? 1 : 0);
  if (is_summed) sum_for_divisor(call, on, sum.get());
  const DivisionSource division{{known.value_or(1), criterion.value_of_empty},
                                is_summed ? ConstArray{sum.get(), Dtype::float64}
                                : known   ? ConstArray{}
                                          : call.divisor.array,
                                call.least_divisor()};
  const Launcher launcher{on, division, call.is_scalar() ? call.loss : nullptr};
  with_float_type(call.dtype, [&]<class T>(Type<T>) { launch_kernels<T>(call, launcher); });
}

}  // namespace culoss::cuda
