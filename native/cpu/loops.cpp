// Compiled once for each instruction set, see CMakeLists.txt: with `culoss` under another name each
// time, so that no inline function of one is taken for that of another.
#include "loops.h"

extern "C" double CULOSS_RUN_LOOPS(const culoss::Call& call, const culoss::Division& division) {
  culoss::cpu::Loops loops{division};
  culoss::with_float_type(call.dtype,
                          [&]<class T>(culoss::Type<T>) { culoss::with_loss<T>(call, loops); });
  return loops.sum;
}
