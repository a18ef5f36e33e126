#include "kernels.cuh"

template void culoss::cuda::launch_kernels<double>(const Call&, const Launcher&);
