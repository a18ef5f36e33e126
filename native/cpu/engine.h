// The CPU engine: loops and sums over the functors of native/losses.
#pragma once

#include "../core/call.h"
#include "isa.h"

namespace culoss::cpu {

// Computes the loss, and the gradient if `call.grad` is set. Throws before it writes anything.
void run(const Call& call, const InstructionSet& by = instruction_set());

}  // namespace culoss::cpu
