// Devices, and why there are none.
#include <map>
#include <mutex>

#include "device.h"
#include "engine.h"
#include "stream.h"

namespace culoss::cuda {
namespace {

int attribute(int index, cudaDeviceAttr wanted) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, wanted, index), "cudaDeviceGetAttribute");
  return value;
}

__global__ void probe() {}

// Whether the code that runs was compiled for clusters: a newer device may run that of an older
// one.
bool has_cluster_code() {
  cudaFuncAttributes attributes;
  check(cudaFuncGetAttributes(&attributes, probe), "cudaFuncGetAttributes");
  return attributes.ptxVersion >= 90;
}

Limits limits_of(int index) {
  const int shared = attribute(index, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  return {shared - kDeclaredShared, attribute(index, cudaDevAttrMultiProcessorCount),
          attribute(index, cudaDevAttrClusterLaunch) != 0 && has_cluster_code()};
}

// A pool of our own.
void fill_in(Device& device) {
  device.limits = limits_of(device.index);
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, device.index};
  check(cudaMemPoolCreate(&device.pool, &properties), "cudaMemPoolCreate");
  keep_up_to(device.pool, kNoLimit);
  check(cudaStreamCreateWithFlags(&device.to_host, cudaStreamNonBlocking),
        "cudaStreamCreateWithFlags");
  device.to_device = open_stream(device);
  device.main = open_stream(device);
}

std::unique_ptr<Device> make_device(int index) {
  const Current current(index);
  auto device = std::make_unique<Device>(index);
  try {
    fill_in(*device);
  } catch (const Error&) {
    // An error here must not be taken for one of the next call.
    if (device->to_device) close(*device->to_device);
    if (device->to_host) cudaStreamDestroy(device->to_host);
    if (device->pool) cudaMemPoolDestroy(device->pool);
    cudaGetLastError();
    throw;
  }
  return device;
}

}  // namespace

void keep_up_to(cudaMemPool_t pool, uint64_t bytes) {
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &bytes),
        "cudaMemPoolSetAttribute");
}

const Device& device(int index) {
  static auto& devices = *new std::map<int, std::unique_ptr<Device>>;
  static auto& mutex = *new std::mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Device>& found = devices[index];
  if (!found) found = make_device(index);
  return *found;
}

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) cudaGetLastError();
  return count;
}

std::optional<Reason> unavailable_reason() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return std::nullopt;
  cudaGetLastError();
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) {
    return Reason{"ERR_CUDA_UNAVAILABLE", "no NVIDIA driver is loaded on this machine",
                  "install an NVIDIA driver, or run on the CPU"};
  }
  if (driver < CUDART_VERSION / 1000 * 1000) {
    return Reason{"ERR_CUDA_UNAVAILABLE",
                  "the NVIDIA driver supports CUDA " + std::to_string(driver / 1000) + "." +
                      std::to_string(driver % 1000 / 10) + ", this build needs CUDA " +
                      std::to_string(CUDART_VERSION / 1000),
                  "update the NVIDIA driver"};
  }
  if (status == cudaSuccess || status == cudaErrorNoDevice) {
    return Reason{"ERR_CUDA_UNAVAILABLE", "the NVIDIA driver reports no device",
                  "check nvidia-smi and CUDA_VISIBLE_DEVICES"};
  }
  return Reason{"ERR_CUDA_UNAVAILABLE",
                std::string("cudaGetDeviceCount failed: ") + cudaGetErrorString(status),
                "check nvidia-smi"};
}

Properties properties(int index) {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  return {properties.name, properties.major, properties.minor, properties.totalGlobalMem};
}

}  // namespace culoss::cuda
