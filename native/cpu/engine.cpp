#include "engine.h"

#include "loops.h"
#include "targets.h"

namespace culoss::cpu {

void run(const Call& call) {
  if (call.target_kind == TargetKind::class_ids) check_class_ids(call);
  const double divisor =
      call.divisor_is_sum_of_targets() ? sum_of_targets(call) : call.divisor_from_shape();
  const Division division{divisor, call.criterion.value_of_empty};
  with_float_type(call.dtype, [&]<class T>(Type<T>) {
    const double sum = run_loops<T>(call, division);
    if (call.is_scalar()) *static_cast<Compute<T>*>(call.loss) = Compute<T>(division.of(sum));
  });
}

}  // namespace culoss::cpu
