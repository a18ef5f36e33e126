// Devices, their memory and copies.
#include <map>
#include <memory>
#include <mutex>

#include "device.h"
#include "engine.h"

namespace culoss::cuda {
namespace {

constexpr Words kInitialWords{{~0ull, 0, {}}, 0};
constexpr TargetError kNoTargetError = kInitialWords.target_error;

void give_back(const Device& device) noexcept {
  if (device.pool) cudaMemPoolDestroy(device.pool);
  if (device.words) cudaFree(device.words);
  if (device.stream) cudaStreamDestroy(device.stream);
  cudaGetLastError();  // an error here must not be taken for one of the next call
}

void fill_in(Device& device) {
  check(cudaStreamCreateWithFlags(&device.stream, cudaStreamNonBlocking),
        "cudaStreamCreateWithFlags");
  check(cudaMalloc(&device.words, sizeof(Words)), "cudaMalloc");
  // On the stream: it does not wait for what the default stream still copies.
  check(cudaMemcpyAsync(device.words, &kInitialWords, sizeof kInitialWords, cudaMemcpyHostToDevice,
                        device.stream),
        "cudaMemcpyAsync");
  // A pool of our own. Freed memory stays in it, so that the next call need not ask the driver.
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, device.index};
  check(cudaMemPoolCreate(&device.pool, &properties), "cudaMemPoolCreate");
  uint64_t keep_all = UINT64_MAX;
  check(cudaMemPoolSetAttribute(device.pool, cudaMemPoolAttrReleaseThreshold, &keep_all),
        "cudaMemPoolSetAttribute");
}

int attribute(int index, cudaDeviceAttr wanted) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, wanted, index), "cudaDeviceGetAttribute");
  return value;
}

Limits limits_of(int index) {
  const int shared = attribute(index, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  constexpr int kReserved = 4 << 10;  // more than the kernels declare
  return {size_t(shared - kReserved), attribute(index, cudaDevAttrMultiProcessorCount),
          attribute(index, cudaDevAttrClusterLaunch) != 0};
}

Device make_device(int index) {
  const Current current(index);
  Device device{index, limits_of(index), nullptr, nullptr, nullptr};
  try {
    fill_in(device);
  } catch (const Error&) {
    give_back(device);
    throw;
  }
  return device;
}

// Waits for the device; throws and forgets the first bad class id that a call on it met.
void settle(const Device& device) {
  TargetError error;
  check(cudaMemcpyAsync(&error, &device.words->target_error, sizeof error, cudaMemcpyDeviceToHost,
                        device.stream),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(device.stream), "cudaStreamSynchronize");
  if (error.columns == 0) return;
  check(cudaMemcpyAsync(&device.words->target_error, &kNoTargetError, sizeof kNoTargetError,
                        cudaMemcpyHostToDevice, device.stream),
        "cudaMemcpyAsync");
  throw target_range_error(int64_t(error.row), error.id, error.columns);
}

}  // namespace

const Device& device(int index) {
  static auto& devices = *new std::map<int, Device>;
  static auto& mutex = *new std::mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = devices.find(index);
  if (found != devices.end()) return found->second;
  return devices.emplace(index, make_device(index)).first->second;
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

void* allocate(int index, size_t bytes) {
  const Device& on = device(index);
  const Current current(index);
  void* memory = nullptr;
  check(cudaMallocFromPoolAsync(&memory, bytes, on.pool, on.stream), "cudaMallocFromPoolAsync");
  return memory;
}

void release(int index, void* memory) noexcept {
  try {
    const Device& on = device(index);
    const Current current(index);
    if (cudaFreeAsync(memory, on.stream) != cudaSuccess) cudaGetLastError();
  } catch (const Error&) {
    // The device is gone, and its memory with it.
  }
}

void copy_to_device(int index, void* to, const void* from, size_t bytes) {
  const Device& on = device(index);
  const Current current(index);
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, on.stream), "cudaMemcpyAsync");
  // The source is the user's, who may change it as soon as this returns.
  check(cudaStreamSynchronize(on.stream), "cudaStreamSynchronize");
}

void copy_between_devices(int to_index, void* to, int from_index, const void* from, size_t bytes) {
  synchronize(from_index);
  const Device& on = device(to_index);
  const Current current(to_index);
  check(cudaMemcpyPeerAsync(to, to_index, from, from_index, bytes, on.stream),
        "cudaMemcpyPeerAsync");
  // The source's stream must not reuse the memory before it has been read.
  check(cudaStreamSynchronize(on.stream), "cudaStreamSynchronize");
}

void copy_to_host(int index, void* to, const void* from, size_t bytes) {
  const Device& on = device(index);
  const Current current(index);
  settle(on);
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, on.stream), "cudaMemcpyAsync");
  check(cudaStreamSynchronize(on.stream), "cudaStreamSynchronize");
}

void synchronize(int index) {
  const Device& on = device(index);
  const Current current(index);
  settle(on);
}

}  // namespace culoss::cuda
