// What a call must know of its targets before it writes anything.
#pragma once

#include <vector>

#include "../core/call.h"

namespace culoss::cpu {

// Throws ERR_TARGET_RANGE for the first class id outside [0, columns) that is not ignored.
void check_class_ids(const Call& call);

// The call with class ids, which are left in `ids`, where each row of dense targets is one class
// and ids say the same: a fraction of the work. Else the call as it is.
Call with_class_ids(const Call& call, std::vector<int32_t>& ids);

// What mean and matrix divide by; 1 for the others.
double divisor_of(const Call& call);

}  // namespace culoss::cpu
