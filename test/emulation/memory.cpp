// Memory that is poisoned and guarded, and copies.
//
// CULOSS_EMULATION_SHIFT   bytes by which memory misses the alignment of CUDA, a multiple of 8
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <map>

#include "runtime.h"

// The sums of a pool, whose memory is malloc's. What is freed stays reserved up to the threshold.
struct EmulatedPool {
  int device = 0;
  uint64_t threshold = 0;
  uint64_t reserved = 0;
  uint64_t used = 0;
  uint64_t most_used = 0;  // since it was reset, to 0, by the allocations that came then

  void take(size_t bytes) {
    used += bytes;
    most_used = std::max(most_used, used);
    reserved = std::max(reserved, used);
  }
  void give(size_t bytes) {
    used -= bytes;
    trim(threshold);
  }
  void trim(uint64_t kept) { reserved = std::max(used, std::min(reserved, kept)); }
};

namespace emulation {
namespace {

constexpr unsigned char kGuardByte = 0xa5;
constexpr unsigned char kPoison = 0xff;  // NaN in every floating-point type

size_t shift() {
  static const char* const wanted = getenv("CULOSS_EMULATION_SHIFT");
  return wanted ? size_t(atoi(wanted)) : 0;
}

struct Allocation {
  size_t bytes;
  EmulatedPool* pool;  // null of what processes share
};

// By the address that the engine has.
std::map<void*, Allocation>& allocations() {
  static auto& map = *new std::map<void*, Allocation>;
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

cudaError_t allocate(void** memory, size_t bytes, EmulatedPool* pool) {
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  if (bytes > size_t(1) << 40) return remember(cudaErrorMemoryAllocation);
  auto* begin = static_cast<unsigned char*>(malloc(shift() + bytes + 2 * kGuard));
  if (begin == nullptr) return remember(cudaErrorMemoryAllocation);
  begin += shift();
  *memory = begin + kGuard;
  poison(*memory, bytes);
  allocations()[*memory] = {bytes, pool};
  pool->take(bytes);
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
  const auto [bytes, pool] = found->second;
  check_guards(memory, bytes);
  pool->give(bytes);
  memset(memory, kPoison, bytes);
  allocations().erase(found);
  freed().push_back({static_cast<unsigned char*>(memory), bytes});
  freed_bytes += bytes;
  forget_freed();
  add_live(-1);
}

// Memory of the host that a device reads and writes by itself.
std::map<char*, size_t>& pinned() {
  static auto& map = *new std::map<char*, size_t>;
  return map;
}

bool is_pinned(const void* memory) {
  auto* const address = static_cast<char*>(const_cast<void*>(memory));
  const auto after = pinned().upper_bound(address);
  if (after == pinned().begin()) return false;
  const auto& [begin, bytes] = *std::prev(after);
  return address < begin + bytes;
}

// The allocation that an address is in, or the last one before it; null if there is none.
const std::pair<void* const, Allocation>* allocation_at(const void* memory) {
  const auto after = allocations().upper_bound(const_cast<void*>(memory));
  return after == allocations().begin() ? nullptr : &*std::prev(after);
}

void expect_inside(const void* memory, size_t bytes) {
  const auto* const found = allocation_at(memory);
  if (found == nullptr) fail("a copy touches memory that is not allocated");
  const auto& [begin, allocation] = *found;
  const size_t size = allocation.bytes;
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

void poison(void* memory, size_t bytes) {
  auto* const begin = static_cast<unsigned char*>(memory) - kGuard;
  memset(begin, kGuardByte, kGuard);
  memset(begin + kGuard, kPoison, bytes);
  memset(begin + kGuard + bytes, kGuardByte, kGuard);
}

void add_shared(void* memory, size_t bytes) {
  allocations()[memory] = {bytes, nullptr};
  add_live(1);
}

void remove_shared(void* memory) {
  allocations().erase(memory);
  add_live(-1);
}

void check_memory() {
  for (const auto& [memory, allocation] : allocations()) check_guards(memory, allocation.bytes);
  for (const auto& [memory, bytes] : freed()) {
    const bool is_poison =
        std::all_of(memory, memory + bytes, [](unsigned char byte) { return byte == kPoison; });
    if (!is_poison) fail("memory was written that is freed");
  }
}

}  // namespace emulation

using namespace emulation;

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  const Lock hold(lock());
  note("cudaMemPoolCreate");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *pool = new EmulatedPool{.device = properties->location.id};
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
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  const Lock hold(lock());
  note("cudaMemPoolSetAttribute");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  const uint64_t wanted = *static_cast<const uint64_t*>(value);
  if (attribute == cudaMemPoolAttrReleaseThreshold) {
    pool->threshold = wanted;
  } else if (attribute == cudaMemPoolAttrUsedMemHigh && wanted == 0) {
    pool->most_used = 0;
  } else {
    return remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
  const Lock hold(lock());
  note("cudaMemPoolGetAttribute");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  auto& got = *static_cast<uint64_t*>(value);
  switch (attribute) {
    case cudaMemPoolAttrReleaseThreshold:
      got = pool->threshold;
      break;
    case cudaMemPoolAttrReservedMemCurrent:
      got = pool->reserved;
      break;
    case cudaMemPoolAttrUsedMemCurrent:
      got = pool->used;
      break;
    case cudaMemPoolAttrUsedMemHigh:
      got = pool->most_used;
      break;
  }
  return cudaSuccess;
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t bytes_to_keep) {
  const Lock hold(lock());
  note("cudaMemPoolTrimTo");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  pool->trim(bytes_to_keep);
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  const Lock hold(lock());
  note("cudaHostAlloc");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *memory = malloc(bytes);
  pinned()[static_cast<char*>(*memory)] = bytes;
  add_live(1);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  const Lock hold(lock());
  note("cudaFreeHost");
  if (pinned().erase(static_cast<char*>(memory)) == 0) fail("memory is freed that is not pinned");
  free(memory);
  add_live(-1);
  return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  const Lock hold(lock());
  note("cudaPointerGetAttributes");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  *attributes = {is_pinned(memory) ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered, 0};
  if (const auto* const found = allocation_at(memory)) {
    const auto& [begin, allocation] = *found;
    const size_t offset = static_cast<const char*>(memory) - static_cast<const char*>(begin);
    if (offset < allocation.bytes)
      *attributes = {cudaMemoryTypeDevice, allocation.pool ? allocation.pool->device : 0};
  }
  return cudaSuccess;
}

namespace {

int address_range(uint64_t* begin, size_t* bytes, uint64_t address) {
  const auto* const found = allocation_at(reinterpret_cast<void*>(address));
  if (found == nullptr) return cudaErrorInvalidValue;
  *begin = reinterpret_cast<uint64_t>(found->first);
  *bytes = found->second.bytes;
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaGetDriverEntryPointByVersion(const char*, void** function, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  const Lock hold(lock());
  note("cudaGetDriverEntryPointByVersion");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  *function = reinterpret_cast<void*>(address_range);
  *result = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}

// In the order of the stream: what was freed before may be had again. CUDA would make a node of a
// graph of either; the engine never means to.
cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaMallocFromPoolAsync");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  return allocate(memory, bytes, pool);
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

// From host memory the bytes are taken at once, to it they have arrived on return, if it is not
// pinned; a graph would read and write that of its capture with every launch, which the engine
// never means to.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaMemcpyAsync");
  if (kind == cudaMemcpyDeviceToDevice) return copy_on_device(to, from, bytes, stream);
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  if (kind == cudaMemcpyHostToDevice) {
    expect_inside(to, bytes);
    const auto* begin = static_cast<const char*>(from);
    if (is_pinned(from)) {
      return enqueue_work(stream, [=] {
        memcpy(to, from, bytes);
        return cudaSuccess;
      });
    }
    return enqueue_work(stream, [to, taken = std::vector<char>(begin, begin + bytes)] {
      memcpy(to, taken.data(), taken.size());
      return cudaSuccess;
    });
  }
  expect_inside(from, bytes);
  if (is_pinned(to)) {
    return enqueue_work(stream, [=] {
      memcpy(to, from, bytes);
      return cudaSuccess;
    });
  }
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  const cudaError_t error = drain(stream);
  if (error == cudaSuccess) memcpy(to, from, bytes);
  return remember(error);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaMemsetAsync");
  expect_inside(to, bytes);
  return enqueue_work(stream, [to, value, bytes] {
    memset(to, value, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaMemcpyPeerAsync");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  return copy_on_device(to, from, bytes, stream);
}
