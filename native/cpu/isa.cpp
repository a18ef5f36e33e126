#include "isa.h"

#include <array>
#include <atomic>

extern "C" {
using culoss::Call;
using culoss::Division;
double culoss_run_baseline(const Call&, const Division&);
#ifdef CULOSS_X86
double culoss_run_avx2(const Call&, const Division&);
double culoss_run_avx512(const Call&, const Division&);
#endif
}

namespace culoss::cpu {
namespace {

std::atomic<const InstructionSet*>& current() {
  static std::atomic<const InstructionSet*> chosen{&instruction_sets().back()};
  return chosen;
}

}  // namespace

std::span<const InstructionSet> instruction_sets() {
#ifdef CULOSS_X86
  static constexpr std::array kAll{InstructionSet{"baseline", culoss_run_baseline},
                                   InstructionSet{"avx2", culoss_run_avx2},
                                   InstructionSet{"avx512", culoss_run_avx512}};
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("f16c");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return std::span(kAll).first(has_avx512 ? 3 : has_avx2 ? 2 : 1);
#elif defined(__ARM_NEON)
  static constexpr std::array kAll{InstructionSet{"neon", culoss_run_baseline}};
  return kAll;
#else
  static constexpr std::array kAll{InstructionSet{"baseline", culoss_run_baseline}};
  return kAll;
#endif
}

const InstructionSet& instruction_set() { return *current(); }

void set_instruction_set(std::string_view name) {
  for (const InstructionSet& one : instruction_sets()) {
    if (name == one.name) {
      current() = &one;
      return;
    }
  }
  throw Error("ERR_OPTION", "isa: not one of this machine");
}

}  // namespace culoss::cpu
