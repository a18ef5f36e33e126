// Memory that is not of the pool: someone else's, and that of the host which a device reads itself.
#include "engine.h"
#include "foreign.h"
#include "wait.h"

namespace culoss::cuda {
namespace {

// For whatever was enqueued with it.
std::shared_ptr<Task> last_use_of(const Device& device, const Memory& memory) {
  std::vector<const Stream*> streams;
  if (memory.writer && memory.writer->handle) streams.push_back(memory.writer.get());
  for (const auto& reader : memory.readers) {
    if (reader->handle) streams.push_back(reader.get());
  }
  return std::make_shared<Wait>(device, streams);
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

// Bytes from an address on, to the end of its allocation: only the driver knows.
size_t bytes_behind(const void* address) {
  using AddressRange = int (*)(uint64_t * begin, size_t * bytes, uint64_t address);
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result;
  check(cudaGetDriverEntryPointByVersion("cuMemGetAddressRange", &found, 12000, cudaEnableDefault,
                                         &result),
        "cudaGetDriverEntryPointByVersion");
  uint64_t begin = 0;
  size_t bytes = 0;
  const auto given = reinterpret_cast<uint64_t>(address);
  const int status = reinterpret_cast<AddressRange>(found)(&begin, &bytes, given);
  check(cudaError_t(status), "cuMemGetAddressRange");
  return begin + bytes - given;
}

}  // namespace

void expect_memory_of(int index, const void* address, size_t bytes) {
  cudaPointerAttributes found{};
  check(cudaPointerGetAttributes(&found, address), "cudaPointerGetAttributes");
  const bool is_on_device =
      found.type == cudaMemoryTypeDevice || found.type == cudaMemoryTypeManaged;
  if (!is_on_device || found.device != index) {
    throw Error("ERR_DEVICE", "address: expected memory of cuda:" + std::to_string(index) +
                                  ", got " + where_is(found));
  }
  const size_t most = bytes_behind(address);
  if (bytes <= most) return;
  throw Error("ERR_SHAPE", "shape: expected at most " + std::to_string(most) +
                               " bytes, to the end of the memory, got " + std::to_string(bytes));
}

std::shared_ptr<Memory> adopt(int index, void* address, size_t bytes, Released released) {
  const Device& on = device(index);
  const Current current(index);
  expect_memory_of(index, address, bytes);
  const auto let_go = [&on, released = std::move(released)](Memory* memory) noexcept {
    const std::unique_ptr<Memory> owned(memory);
    if (!released) return;
    try {
      const Current current(on.index);
      released(last_use_of(on, *memory));
    } catch (const std::exception&) {
      wait_for_uses(*memory);  // what is missing is what a task needs
      released(nullptr);
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
