// What a call must know of its targets before it writes anything.
#pragma once

#include "../core/call.h"

namespace culoss::cpu {

// Throws ERR_TARGET_RANGE for the first class id outside [0, columns).
void check_class_ids(const Call& call);

// Of dense targets.
double sum_of_targets(const Call& call);

}  // namespace culoss::cpu
