// What a call must know of its targets before it writes anything.
#pragma once

#include "../core/call.h"

namespace culoss::cpu {

// Throws ERR_TARGET_RANGE for the first class id outside [0, columns) that is not ignored.
void check_class_ids(const Call& call);

// What mean and matrix divide by; 1 for the others.
double divisor_of(const Call& call);

}  // namespace culoss::cpu
