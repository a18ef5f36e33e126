// Errors of the CUDA runtime become exceptions that name the call, the file and the line.
#pragma once

#include <cuda_runtime.h>

#include <source_location>

#include "../core/error.h"

namespace culoss::cuda {

inline void check(cudaError_t status, const char* call,
                  std::source_location where = std::source_location::current()) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // an error that does not poison the context must not reach the next call
  throw Error(status == cudaErrorMemoryAllocation ? "ERR_OUT_OF_MEMORY" : "ERR_CUDA",
              std::string(call) + " failed: " + cudaGetErrorString(status) + " (" +
                  cudaGetErrorName(status) + ") at " + where.file_name() + ":" +
                  std::to_string(where.line()));
}

}  // namespace culoss::cuda
