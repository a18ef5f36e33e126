#include "loops.h"

template double culoss::cpu::run_loops<culoss::bfloat16>(const Call&, const Division&);
