#include "kernels.cuh"

template void culoss::cuda::launch_kernels<float>(const Call&, const Launcher&);
