// Two devices that are alike.
#include "runtime.h"

namespace {

constexpr int kDevices = 2;

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
  *properties = {"emulated device", 9, 0, size_t(1) << 34};
  return cudaSuccess;
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
