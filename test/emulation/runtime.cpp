// The host's side: devices, memory that is poisoned and guarded, streams that run when they are
// waited for, and faults on demand.
//
// CULOSS_EMULATION_FAIL    the n-th call from now on that can fail does; read at every call
// CULOSS_EMULATION_SHIFT   bytes by which memory misses the alignment of CUDA, a multiple of 8
// CULOSS_EMULATION_LIVE    set here: how many allocations, streams and pools there are
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "run.h"

struct EmulatedStream {
  std::deque<std::function<cudaError_t()>> work;
  cudaError_t error = cudaSuccess;
};
struct EmulatedPool {};

namespace emulation {
namespace {

constexpr int kDevices = 2;
constexpr size_t kGuard = 64;
constexpr unsigned char kGuardByte = 0xa5;
constexpr unsigned char kPoison = 0xff;  // NaN in every floating-point type

std::recursive_mutex& lock() {
  static auto& mutex = *new std::recursive_mutex;
  return mutex;
}
using Lock = std::lock_guard<std::recursive_mutex>;

thread_local int current_device = 0;

bool has_clusters(int device) { return device == 0; }
size_t most_shared_bytes(int device) { return (device == 0 ? 8 : 24) << 10; }
cudaError_t last_error = cudaSuccess;

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

size_t shift() {
  static const char* const wanted = getenv("CULOSS_EMULATION_SHIFT");
  return wanted ? size_t(atoi(wanted)) : 0;
}

// Whether this call is the one that is to fail.
bool is_to_fail() {
  static std::string wanted;
  static int calls = 0;
  const char* now = getenv("CULOSS_EMULATION_FAIL");
  if (now == nullptr || *now == 0) {
    wanted.clear();
    return false;
  }
  if (wanted != now) {
    wanted = now;
    calls = 0;
  }
  return ++calls == atoi(now);
}

// Size of each allocation, by the address that the engine has.
std::map<void*, size_t>& allocations() {
  static auto& map = *new std::map<void*, size_t>;
  return map;
}

std::set<EmulatedStream*>& streams() {
  static auto& set = *new std::set<EmulatedStream*>;
  return set;
}
int pools = 0;

void publish_live() {
  const size_t live = allocations().size() + streams().size() + size_t(pools);
  setenv("CULOSS_EMULATION_LIVE", std::to_string(live).c_str(), 1);
}

[[noreturn]] void fail(const char* why) {
  fprintf(stderr, "culoss emulation: %s\n", why);
  abort();
}

cudaError_t allocate(void** memory, size_t bytes) {
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  if (bytes > size_t(1) << 40) return remember(cudaErrorMemoryAllocation);
  auto* begin = static_cast<unsigned char*>(malloc(shift() + bytes + 2 * kGuard));
  if (begin == nullptr) return remember(cudaErrorMemoryAllocation);
  begin += shift();
  memset(begin, kGuardByte, kGuard);
  memset(begin + kGuard, kPoison, bytes);
  memset(begin + kGuard + bytes, kGuardByte, kGuard);
  *memory = begin + kGuard;
  allocations()[*memory] = bytes;
  publish_live();
  return cudaSuccess;
}

void check_guards(void* memory, size_t bytes) {
  const auto* begin = static_cast<unsigned char*>(memory) - kGuard;
  for (size_t i = 0; i < kGuard; ++i) {
    if (begin[i] != kGuardByte) fail("memory before an allocation was written");
    if (begin[kGuard + bytes + i] != kGuardByte) fail("memory behind an allocation was written");
  }
}

void release(void* memory) {
  const auto found = allocations().find(memory);
  if (found == allocations().end()) fail("memory is freed that is not allocated");
  check_guards(memory, found->second);
  memset(memory, kPoison, found->second);
  allocations().erase(found);
  free(static_cast<unsigned char*>(memory) - kGuard - shift());
  publish_live();
}

void expect_inside(const void* memory, size_t bytes) {
  auto after = allocations().upper_bound(const_cast<void*>(memory));
  if (after == allocations().begin()) fail("a copy touches memory that is not allocated");
  const auto& [begin, size] = *--after;
  const size_t offset = static_cast<const char*>(memory) - static_cast<const char*>(begin);
  if (offset > size || bytes > size - offset) fail("a copy goes beyond its allocation");
}

cudaError_t run_kernel(const cudaLaunchConfig_t& config, unsigned cluster,
                       const std::function<void()>& kernel) {
  if (!run_grid(config, cluster, kernel)) return cudaErrorLaunchFailure;
  for (const auto& [memory, bytes] : allocations()) check_guards(memory, bytes);
  return cudaSuccess;
}

// Runs what a stream has been given so far.
cudaError_t drain(cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  while (!stream->work.empty()) {
    const auto work = std::move(stream->work.front());
    stream->work.pop_front();
    if (const cudaError_t now = work(); now != cudaSuccess) error = now;
  }
  return error;
}

cudaError_t enqueue_work(cudaStream_t stream, std::function<cudaError_t()> work) {
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  stream->work.push_back(std::move(work));
  return cudaSuccess;
}

}  // namespace

cudaError_t enqueue(const cudaLaunchConfig_t& config, std::function<void()> kernel) {
  const Lock hold(lock());
  const unsigned cluster = cluster_of(config);
  if (config.gridDim.x == 0 || config.blockDim.x == 0 || config.blockDim.x > 1024 ||
      config.dynamicSmemBytes > most_shared_bytes(current_device) || cluster > 8 ||
      config.gridDim.x % cluster != 0 || (cluster > 1 && !has_clusters(current_device))) {
    return remember(cudaErrorInvalidValue);
  }
  return enqueue_work(config.stream, [config, cluster, kernel = std::move(kernel)] {
    return run_kernel(config, cluster, kernel);
  });
}

}  // namespace emulation

using namespace emulation;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
  }
  return "cudaErrorUnknown";
}
const char* cudaGetErrorString(cudaError_t) { return "emulated"; }

cudaError_t cudaGetLastError() {
  const Lock hold(lock());
  return std::exchange(last_error, cudaSuccess);
}
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
// The first device has clusters, the second one more memory for a block: both so little that short
// rows already meet every way in which long ones are treated.
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (device < 0 || device >= kDevices) return remember(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = 2;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = int(most_shared_bytes(device));
      break;
    case cudaDevAttrClusterLaunch:
      *value = has_clusters(device);
      break;
  }
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= kDevices) return remember(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock hold(lock());
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *stream = new EmulatedStream;
  streams().insert(*stream);
  publish_live();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock hold(lock());
  drain(stream);
  streams().erase(stream);
  delete stream;
  publish_live();
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock hold(lock());
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  return remember(drain(stream));
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
  const Lock hold(lock());
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *pool = new EmulatedPool;
  ++pools;
  publish_live();
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  const Lock hold(lock());
  delete pool;
  --pools;
  publish_live();
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  const Lock hold(lock());
  return is_to_fail() ? remember(cudaErrorInvalidValue) : cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const Lock hold(lock());
  return allocate(memory, bytes);
}
// Waits for every stream, as that of CUDA does.
cudaError_t cudaFree(void* memory) {
  const Lock hold(lock());
  for (EmulatedStream* stream : streams()) drain(stream);
  release(memory);
  return cudaSuccess;
}
// In the order of the stream: what was freed before may be had again.
cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t, cudaStream_t) {
  const Lock hold(lock());
  return allocate(memory, bytes);
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  const Lock hold(lock());
  stream->work.push_back([memory] {
    release(memory);
    return cudaSuccess;
  });
  return cudaSuccess;
}

// From pageable host memory the bytes are taken at once, to it they have arrived on return.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock hold(lock());
  if (kind == cudaMemcpyHostToDevice) {
    expect_inside(to, bytes);
    const auto* begin = static_cast<const char*>(from);
    return enqueue_work(stream, [to, taken = std::vector<char>(begin, begin + bytes)] {
      memcpy(to, taken.data(), taken.size());
      return cudaSuccess;
    });
  }
  expect_inside(from, bytes);
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  const cudaError_t error = drain(stream);
  if (error == cudaSuccess) memcpy(to, from, bytes);
  return remember(error);
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                cudaStream_t stream) {
  const Lock hold(lock());
  expect_inside(to, bytes);
  expect_inside(from, bytes);
  return enqueue_work(stream, [=] {
    memcpy(to, from, bytes);
    return cudaSuccess;
  });
}
