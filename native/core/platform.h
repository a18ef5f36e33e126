// Marks a function that the CPU engine and the CUDA kernels both compile.
#pragma once

#ifdef __CUDACC__
#define HD __host__ __device__
#else
#define HD
#endif
