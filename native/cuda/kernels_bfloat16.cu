#include "kernels.cuh"

template void culoss::cuda::launch_kernels<culoss::bfloat16>(const Call&, const Launcher&);
