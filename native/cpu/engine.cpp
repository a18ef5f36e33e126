#include "engine.h"

#include "targets.h"

namespace culoss::cpu {

void run(const Call& call, const InstructionSet& by) {
  if (call.target_kind == TargetKind::class_ids) check_class_ids(call);
  const Division division{divisor_of(call), call.criterion.value_of_empty};
  with_float_type(call.dtype, [&]<class T>(Type<T>) {
    const double sum = by.run_loops(call, division);
    if (call.is_scalar()) *static_cast<Compute<T>*>(call.loss) = Compute<T>(division.of(sum));
  });
}

}  // namespace culoss::cpu
