#include "kernels.cuh"

template void culoss::cuda::launch_kernels<culoss::float16>(const Call&, const Launcher&);
