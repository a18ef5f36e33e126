// Two devices. The first has clusters, the second more memory for a block: both so little that
// short rows meet every way in which long ones are treated.
#include "run.h"
#include "runtime.h"

namespace {

constexpr int kDevices = 2;
constexpr bool kHasClusters[kDevices] = {true, false};
constexpr size_t kSharedBytes[kDevices] = {8 << 10, 24 << 10};

constexpr size_t kMemory = size_t(1) << 34;

thread_local int current_device = 0;

}  // namespace

using namespace emulation;

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = kDevices;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= kDevices) return remember(cudaErrorInvalidDevice);
  *properties = {"emulated device", 9, 0, kMemory};
  return cudaSuccess;
}
// Of the host's memory nothing is set aside.
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  *free = *total = kMemory;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (device < 0 || device >= kDevices) return remember(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 4;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = int(kSharedBytes[device]);
      break;
    case cudaDevAttrClusterLaunch:
      *value = kHasClusters[device];
      break;
  }
  return cudaSuccess;
}
bool emulation::can_launch(const cudaLaunchConfig_t& config) {
  const unsigned cluster = cluster_of(config);
  return config.gridDim.x > 0 && config.blockDim.x > 0 && config.blockDim.x <= 1024 &&
         config.dynamicSmemBytes <= kSharedBytes[current_device] && cluster <= 8 &&
         config.gridDim.x % cluster == 0 && (cluster == 1 || kHasClusters[current_device]);
}
cudaError_t cudaGetDevice(int* device) {
  note("cudaGetDevice");
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  note("cudaSetDevice");
  if (device < 0 || device >= kDevices) return remember(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}
