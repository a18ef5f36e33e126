// What the engine keeps for each device.
#pragma once

#include <cuda_runtime.h>

#include "../core/target_range.h"
#include "check.h"

namespace culoss::cuda {

// The first bad class id since the last read, on the device. `columns` is 0 while there is none.
struct TargetError {
  unsigned long long row;
  long long columns;
  GivenId id;
};

// What calls share on the device. A stream runs one launch after the other.
struct Words {
  TargetError target_error;
  unsigned blocks_done;  // of the launch that runs
};

// What the kernels that are chosen depend on.
struct Limits {
  size_t shared_bytes;  // most for a block
  int multiprocessors;
  bool has_clusters;  // of blocks, that read one another's shared memory
};

struct Device {
  int index;
  Limits limits;
  cudaStream_t stream;
  cudaMemPool_t pool;
  Words* words;  // (1), device memory
};

// Made at the first use of the device, and never destroyed: no CUDA call runs at exit.
const Device& device(int index);

// Makes a device the calling thread's current one for a while.
class Current {
 public:
  explicit Current(int index) {
    check(cudaGetDevice(&previous_), "cudaGetDevice");
    check(cudaSetDevice(index), "cudaSetDevice");
  }
  ~Current() {
    // An error here must not be taken for one of the next call.
    if (cudaSetDevice(previous_) != cudaSuccess) cudaGetLastError();
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  int previous_ = 0;
};

// Stream-ordered memory for one call: free again for whatever is enqueued after it.
template <class T>
class Workspace {
 public:
  Workspace(const Device& device, int64_t count) : stream_(device.stream) {
    if (count == 0) return;
    check(cudaMallocFromPoolAsync(&memory_, count * sizeof(T), device.pool, stream_),
          "cudaMallocFromPoolAsync");
  }
  ~Workspace() {
    // An error here must not be taken for one of the next call.
    if (memory_ && cudaFreeAsync(memory_, stream_) != cudaSuccess) cudaGetLastError();
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* get() const { return memory_; }

 private:
  cudaStream_t stream_;
  T* memory_ = nullptr;
};

// Where a kernel is launched from, for the error if that fails.
struct Site {
  Site(const char* kernel, std::source_location place = std::source_location::current())
      : name(kernel), where(place) {}

  const char* name;
  std::source_location where;
};

// How many threads a kernel gets.
struct Grid {
  int64_t blocks;
  int threads;              // of a block
  size_t shared_bytes = 0;  // of a block, beside what the kernel itself declares
  int cluster = 1;          // blocks of a cluster
};

// Every kernel starts here.
template <class... Parameters, class... Arguments>
void launch(Site site, void (*kernel)(Parameters...), const Device& device, const Grid& grid,
            const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(unsigned(grid.blocks));
  config.blockDim = dim3(unsigned(grid.threads));
  config.dynamicSmemBytes = grid.shared_bytes;
  config.stream = device.stream;
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {unsigned(grid.cluster), 1, 1};
  config.attrs = &cluster;
  config.numAttrs = grid.cluster > 1;
  if (grid.shared_bytes > 0) {  // beyond 48 KiB only if asked for
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               int(grid.shared_bytes)),
          "cudaFuncSetAttribute", site.where);
  }
  check(cudaLaunchKernelEx(&config, kernel, arguments...), site.name, site.where);
}

}  // namespace culoss::cuda
