// Memory of devices, and copies from and to it.
#include <algorithm>
#include <array>

#include "engine.h"
#include "settle.h"

namespace culoss::cuda {
namespace {

// Frees memory behind whatever was enqueued with it.
void release(Memory* memory) noexcept {
  const std::unique_ptr<Memory> owned(memory);
  try {
    const Device& on = device(memory->device);
    const Current current(memory->device);
    const bool has_writer = memory->writer && memory->writer->handle;
    Stream& stream = has_writer ? *memory->writer : *on.main;
    for (const auto& reader : memory->readers) {
      if (reader.get() == &stream || reader->handle == nullptr) continue;
      try {
        stream.wait_for(*reader);
      } catch (const Error&) {
        // Never freed under a reader: if the stream cannot wait, this does.
        check(cudaStreamSynchronize(reader->handle), "cudaStreamSynchronize");
      }
    }
    check(cudaFreeAsync(memory->address, stream.handle), "cudaFreeAsync");
  } catch (const Error&) {
    // The device is lost, and its memory with it.
  }
}

// A copy after which the host knows that all is done.
void finish_copy(Memory& memory, const Stream& stream) {
  check(cudaStreamSynchronize(stream.handle), "cudaStreamSynchronize");
  memory.writer = nullptr;
  memory.readers.clear();
}

Error no_memory_for(size_t bytes, int index) {
  cudaGetLastError();  // must not reach the next call
  size_t free = 0, total = 0;
  std::string left = "free memory of unknown size";
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) {
    left = std::to_string(free) + " of " + std::to_string(total) + " free";
  }
  return {"ERR_OUT_OF_MEMORY", "cuda:" + std::to_string(index) + ": expected " +
                                   std::to_string(bytes) + " bytes of memory, got a device with " +
                                   left};
}

size_t bytes_of(const Device& of, cudaMemPoolAttr wanted) {
  uint64_t bytes = 0;
  check(cudaMemPoolGetAttribute(of.pool, wanted, &bytes), "cudaMemPoolGetAttribute");
  return bytes;
}

Error beyond_limit(size_t bytes, int index, size_t limit, size_t allocated) {
  return {"ERR_OUT_OF_MEMORY", "cuda:" + std::to_string(index) + ": expected " +
                                   std::to_string(bytes) + " bytes of memory, got a limit of " +
                                   std::to_string(limit) + " with " + std::to_string(allocated) +
                                   " allocated"};
}

// What was freed counts until the device has come to it: it is waited for before this throws.
void expect_within_limit(const Device& on, size_t bytes) {
  const size_t limit = on.memory_limit;
  const auto allocated = [&] { return bytes_of(on, cudaMemPoolAttrUsedMemCurrent); };
  const auto fits = [&] { return bytes <= limit && allocated() <= limit - bytes; };
  if (fits()) return;
  // Where this thread frees memory: no stream that is being captured is among them.
  check(cudaStreamSynchronize(on.main->handle), "cudaStreamSynchronize");
  check(cudaStreamSynchronize(on.to_device->handle), "cudaStreamSynchronize");
  for (const Unread& one : unread_on(on)) {
    check(cudaStreamSynchronize(one.stream->handle), "cudaStreamSynchronize");
  }
  if (!fits()) throw beyond_limit(bytes, on.index, limit, allocated());
}

std::shared_ptr<Memory> allocate_in(Stream& stream, size_t bytes) {
  const Device& on = *stream.device;
  std::unique_lock<std::mutex> turn(on.limited, std::defer_lock);
  if (on.memory_limit != kNoLimit) {
    turn.lock();
    expect_within_limit(on, bytes);
  }
  std::unique_ptr<Memory> memory(
      new Memory{on.index, nullptr, bytes, stream.shared_from_this(), {}});
  const cudaError_t status =
      cudaMallocFromPoolAsync(&memory->address, bytes, on.pool, stream.handle);
  if (status == cudaErrorMemoryAllocation) throw no_memory_for(bytes, on.index);
  check(status, "cudaMallocFromPoolAsync");
  return {memory.release(), release};
}

// The source is the user's, who may change it as soon as this returns.
void copy_from_host(Memory& to, const void* from, const Stream& stream) {
  check(cudaMemcpyAsync(to.address, from, to.bytes, cudaMemcpyHostToDevice, stream.handle),
        "cudaMemcpyAsync");
  finish_copy(to, stream);
}

}  // namespace

void wait_for_uses(const Memory& memory) noexcept {
  const auto wait = [](const std::shared_ptr<Stream>& stream) {
    if (stream && stream->handle) cudaStreamSynchronize(stream->handle);
  };
  wait(memory.writer);
  for (const auto& reader : memory.readers) wait(reader);
  cudaGetLastError();  // an error here is that of a lost device
}

PoolMemory pool_memory(int index) {
  const Device& of = device(index);
  const Current current(index);
  const size_t allocated = bytes_of(of, cudaMemPoolAttrUsedMemCurrent);
  const size_t reserved = bytes_of(of, cudaMemPoolAttrReservedMemCurrent);
  // A mark that was reset may be 0 until the next allocation.
  const size_t peak = std::max(allocated, bytes_of(of, cudaMemPoolAttrUsedMemHigh));
  return {allocated, reserved, peak, of.memory_limit};
}

void reset_peak_memory(int index) {
  const Device& of = device(index);
  const Current current(index);
  uint64_t none = 0;  // the only value that CUDA takes
  check(cudaMemPoolSetAttribute(of.pool, cudaMemPoolAttrUsedMemHigh, &none),
        "cudaMemPoolSetAttribute");
}

void limit_memory(int index, std::optional<size_t> bytes) {
  const Device& of = device(index);
  const Current current(index);
  of.memory_limit = bytes.value_or(kNoLimit);
  keep_up_to(of.pool, bytes.value_or(kNoLimit));
}

void empty_cache(int index) {
  const Device& of = device(index);
  const Current current(index);
  check(cudaMemPoolTrimTo(of.pool, 0), "cudaMemPoolTrimTo");
}

std::shared_ptr<Memory> allocate(int index, size_t bytes) {
  const Current current(index);
  return allocate_in(stream_beside_capture(device(index)), bytes);
}

std::shared_ptr<Memory> upload(int index, const void* from, size_t bytes) {
  const Device& on = device(index);
  const Current current(index);
  const auto memory = allocate_in(*on.to_device, bytes);
  copy_from_host(*memory, from, *on.to_device);
  return memory;
}

void copy_to_device(const std::shared_ptr<Memory>& to, const void* from) {
  const Device& on = device(to->device);
  const Current current(to->device);
  Stream& stream = stream_beside_capture(on);
  order(stream, std::array{Use{to, true}});
  copy_from_host(*to, from, stream);
}

void copy_on_device(const std::shared_ptr<Memory>& to, const std::shared_ptr<Memory>& from) {
  const Device& on = device(to->device);
  const bool is_between = from->device != to->device;
  if (is_between) {
    expect_no_capture("a copy between devices");
    synchronize(from->device);
  }
  expect_device_of_capture(to->device);
  const Current current(to->device);
  Stream& stream = stream_on(on);
  if (!is_between) {
    order(stream, std::array{Use{from, false}, Use{to, true}});
    check(cudaMemcpyAsync(to->address, from->address, to->bytes, cudaMemcpyDeviceToDevice,
                          stream.handle),
          "cudaMemcpyAsync");
    return;
  }
  order(stream, std::array{Use{to, true}});
  check(cudaMemcpyPeerAsync(to->address, to->device, from->address, from->device, to->bytes,
                            stream.handle),
        "cudaMemcpyPeerAsync");
  // The source's device must not reuse the memory before it has been read.
  finish_copy(*to, stream);
}

void copy_to_host(void* to, const Memory& from) {
  expect_no_capture("a read of device memory");
  const Device& on = device(from.device);
  const Current current(from.device);
  settle(on);
  check(cudaMemcpyAsync(to, from.address, from.bytes, cudaMemcpyDeviceToHost, on.main->handle),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(on.main->handle), "cudaStreamSynchronize");
}

}  // namespace culoss::cuda
