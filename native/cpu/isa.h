// The instruction sets that the loops are compiled for.
#pragma once

#include <span>
#include <string_view>

#include "../core/call.h"
#include "../losses/division.h"

namespace culoss::cpu {

struct InstructionSet {
  const char* name;
  // The sum of the losses of a call, undivided; writes all else that is wanted of it.
  double (*run_loops)(const Call&, const Division&);
};

// Those that this machine has, the best one last.
std::span<const InstructionSet> instruction_sets();
// The one in use: the best, if no other was asked for.
const InstructionSet& instruction_set();
// Throws if this machine does not have it.
void set_instruction_set(std::string_view name);

}  // namespace culoss::cpu
