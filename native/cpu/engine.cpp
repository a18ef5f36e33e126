#include "engine.h"

#include "targets.h"

namespace culoss::cpu {

void run(const Call& given, const InstructionSet& by) {
  if (given.target_kind == TargetKind::class_ids) check_class_ids(given);
  std::vector<int32_t> ids;
  const Call call = with_class_ids(given, ids);
  const Division division{divisor_of(call), call.criterion.value_of_empty};
  with_float_type(call.dtype, [&]<class T>(Type<T>) {
    const double sum = by.run_loops(call, division);
    if (call.is_scalar()) *static_cast<Compute<T>*>(call.loss) = Compute<T>(division.of(sum));
  });
}

}  // namespace culoss::cpu
