// What a call must know of its targets before its kernels run.
#pragma once

#include "../core/call.h"
#include "stream.h"

namespace culoss::cuda {

// Enqueues a check of every class id. The first bad one is thrown at the next read.
void check_class_ids(const Call& call, const Stream& stream);

// Enqueues sum[0] = the divisor of mean and matrix, where it depends on the targets.
void sum_for_divisor(const Call& call, const Stream& stream, double* sum);

}  // namespace culoss::cuda
