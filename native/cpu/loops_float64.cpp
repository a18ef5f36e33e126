#include "loops.h"

template double culoss::cpu::run_loops<double>(const Call&, const Division&);
