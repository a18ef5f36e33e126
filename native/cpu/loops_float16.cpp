#include "loops.h"

template double culoss::cpu::run_loops<culoss::float16>(const Call&, const Division&);
