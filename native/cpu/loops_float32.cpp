#include "loops.h"

template double culoss::cpu::run_loops<float>(const Call&, const Division&);
