// How kernels start, and the memory they have for one call.
#pragma once

#include "graph.h"
#include "stream.h"

namespace culoss::cuda {

// Stream-ordered memory for one call: free again for whatever is enqueued after it. A graph keeps
// that of the calls it captures.
template <class T>
class Workspace {
 public:
  Workspace(const Stream& stream, int64_t count) : stream_(stream) {
    if (count == 0) return;
    const size_t bytes = size_t(count) * sizeof(T);
    if (stream.graph) {
      memory_ = static_cast<T*>(kept_workspace(*stream.graph, bytes));
      return;
    }
    check(cudaMallocFromPoolAsync(&memory_, bytes, stream.device->pool, stream.handle),
          "cudaMallocFromPoolAsync");
  }
  ~Workspace() {
    if (memory_ == nullptr || stream_.graph) return;
    // An error here must not be taken for one of the next call.
    if (cudaFreeAsync(memory_, stream_.handle) != cudaSuccess) cudaGetLastError();
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* get() const { return memory_; }

 private:
  const Stream& stream_;
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
  int threads;               // of a block
  int64_t shared_bytes = 0;  // of a block, beside what the kernel itself declares
  int cluster = 1;           // blocks of a cluster
};

// Every kernel starts here.
template <class... Parameters, class... Arguments>
void launch(Site site, void (*kernel)(Parameters...), const Stream& stream, const Grid& grid,
            const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(unsigned(grid.blocks));
  config.blockDim = dim3(unsigned(grid.threads));
  config.dynamicSmemBytes = size_t(grid.shared_bytes);
  config.stream = stream.handle;
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {unsigned(grid.cluster), 1, 1};
  config.attrs = &cluster;
  config.numAttrs = grid.cluster > 1;
  // Beyond 48 KiB in all only if asked for; then for the most, because threads share what is asked.
  constexpr int64_t kGranted = (48 << 10) - kDeclaredShared;
  if (grid.shared_bytes > kGranted) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               int(stream.device->limits.shared_bytes)),
          "cudaFuncSetAttribute", site.where);
  }
  check(cudaLaunchKernelEx(&config, kernel, arguments...), site.name, site.where);
}

}  // namespace culoss::cuda
