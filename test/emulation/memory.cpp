// Memory that is poisoned and guarded, and copies.
//
// CULOSS_EMULATION_SHIFT   bytes by which memory misses the alignment of CUDA, a multiple of 8
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <map>

#include "runtime.h"

struct EmulatedPool {};

namespace emulation {
namespace {

constexpr size_t kGuard = 64;
constexpr unsigned char kGuardByte = 0xa5;
constexpr unsigned char kPoison = 0xff;  // NaN in every floating-point type

size_t shift() {
  static const char* const wanted = getenv("CULOSS_EMULATION_SHIFT");
  return wanted ? size_t(atoi(wanted)) : 0;
}

// Size of each allocation, by the address that the engine has.
std::map<void*, size_t>& allocations() {
  static auto& map = *new std::map<void*, size_t>;
  return map;
}

struct Freed {
  unsigned char* memory;
  size_t bytes;
};

// What was freed last is kept for a while, to see that no one writes it.
std::deque<Freed>& freed() {
  static auto& queue = *new std::deque<Freed>;
  return queue;
}
size_t freed_bytes = 0;
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kMostFreed = 0;  // the sanitizer sees it
#else
constexpr size_t kMostFreed = 64 * 1024;
#endif

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
  add_live(1);
  return cudaSuccess;
}

void check_guards(void* memory, size_t bytes) {
  const auto* begin = static_cast<unsigned char*>(memory) - kGuard;
  for (size_t i = 0; i < kGuard; ++i) {
    if (begin[i] != kGuardByte) fail("memory before an allocation was written");
    if (begin[kGuard + bytes + i] != kGuardByte) fail("memory behind an allocation was written");
  }
}

void forget_freed() {
  while (freed_bytes > kMostFreed) {
    const Freed oldest = freed().front();
    freed().pop_front();
    freed_bytes -= oldest.bytes;
    free(oldest.memory - kGuard - shift());
  }
}

void release(void* memory) {
  const auto found = allocations().find(memory);
  if (found == allocations().end()) fail("memory is freed that is not allocated");
  const size_t bytes = found->second;
  check_guards(memory, bytes);
  memset(memory, kPoison, bytes);
  allocations().erase(found);
  freed().push_back({static_cast<unsigned char*>(memory), bytes});
  freed_bytes += bytes;
  forget_freed();
  add_live(-1);
}

void expect_inside(const void* memory, size_t bytes) {
  auto after = allocations().upper_bound(const_cast<void*>(memory));
  if (after == allocations().begin()) fail("a copy touches memory that is not allocated");
  const auto& [begin, size] = *--after;
  const size_t offset = static_cast<const char*>(memory) - static_cast<const char*>(begin);
  if (offset > size || bytes > size - offset) fail("a copy goes beyond its allocation");
}

cudaError_t copy_on_device(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  expect_inside(to, bytes);
  expect_inside(from, bytes);
  return enqueue_work(stream, [=] {
    expect_inside(to, bytes);
    expect_inside(from, bytes);
    memcpy(to, from, bytes);
    return cudaSuccess;
  });
}

}  // namespace

void check_memory() {
  for (const auto& [memory, bytes] : allocations()) check_guards(memory, bytes);
  for (const auto& [memory, bytes] : freed()) {
    const bool is_poison =
        std::all_of(memory, memory + bytes, [](unsigned char byte) { return byte == kPoison; });
    if (!is_poison) fail("memory was written that is freed");
  }
}

}  // namespace emulation

using namespace emulation;

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
  const Lock hold(lock());
  note("cudaMemPoolCreate");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *pool = new EmulatedPool;
  add_live(1);
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  const Lock hold(lock());
  note("cudaMemPoolDestroy");
  delete pool;
  add_live(-1);
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  const Lock hold(lock());
  note("cudaMemPoolSetAttribute");
  return is_to_fail() ? remember(cudaErrorInvalidValue) : cudaSuccess;
}

// In the order of the stream: what was freed before may be had again. CUDA would make a node of a
// graph of either; the engine never means to.
cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t,
                                    cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaMallocFromPoolAsync");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  return allocate(memory, bytes);
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaFreeAsync");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  stream->work.push_back([memory] {
    release(memory);
    return cudaSuccess;
  });
  return cudaSuccess;
}

// From pageable host memory the bytes are taken at once, to it they have arrived on return; a graph
// would read and write that of its capture with every launch, which the engine never means to.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaMemcpyAsync");
  if (kind == cudaMemcpyDeviceToDevice) return copy_on_device(to, from, bytes, stream);
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
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
  note("cudaMemcpyPeerAsync");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  return copy_on_device(to, from, bytes, stream);
}
