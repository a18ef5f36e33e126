// Memory that is not of the pool: someone else's, and that of the host which a device reads itself.
#include "engine.h"
#include "stream.h"
#include "wait.h"

namespace culoss::cuda {
namespace {

// For whatever was enqueued with it.
std::shared_ptr<Task> last_use_of(const Memory& memory) {
  std::vector<const Stream*> streams;
  if (memory.writer && memory.writer->handle) streams.push_back(memory.writer.get());
  for (const auto& reader : memory.readers) {
    if (reader->handle) streams.push_back(reader.get());
  }
  return std::make_shared<Wait>(device(memory.device), streams);
}

std::string where_is(const cudaPointerAttributes& of) {
  switch (of.type) {
    case cudaMemoryTypeDevice:
    case cudaMemoryTypeManaged:
      return "memory of cuda:" + std::to_string(of.device);
    case cudaMemoryTypeHost:
      return "memory of the host";
    default:
      return "memory that CUDA does not know";
  }
}

void expect_memory_of(int index, const void* address) {
  cudaPointerAttributes found{};
  check(cudaPointerGetAttributes(&found, address), "cudaPointerGetAttributes");
  const bool is_on_device =
      found.type == cudaMemoryTypeDevice || found.type == cudaMemoryTypeManaged;
  if (is_on_device && found.device == index) return;
  throw Error("ERR_DEVICE", "address: expected memory of cuda:" + std::to_string(index) + ", got " +
                                where_is(found));
}

}  // namespace

std::shared_ptr<Memory> adopt(int index, void* address, size_t bytes, Released released) {
  const Current current(index);
  expect_memory_of(index, address);
  const auto let_go = [released = std::move(released)](Memory* memory) noexcept {
    const std::unique_ptr<Memory> owned(memory);
    if (!released) return;
    const Device& on = device(memory->device);
    try {
      const Current current(on.index);
      released(last_use_of(*memory));
    } catch (const Error&) {
      // The device is lost: nothing is touched any more.
      released(std::make_shared<Wait>(on, std::span<const Stream* const>()));
    }
  };
  return {new Memory{index, address, bytes, nullptr, {}}, let_go};
}

void* allocate_pinned(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocPortable);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // must not reach the next call
    throw Error("ERR_OUT_OF_MEMORY",
                "the host has no " + std::to_string(bytes) + " bytes left that can be pinned");
  }
  check(status, "cudaHostAlloc");
  return memory;
}

void free_pinned(void* memory) noexcept {
  if (cudaFreeHost(memory) != cudaSuccess) cudaGetLastError();
}

}  // namespace culoss::cuda
