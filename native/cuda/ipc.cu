// Memory that processes share. It is not of the pool, whose memory CUDA gives no handles for.
#include <cstring>

#include "engine.h"
#include "foreign.h"
#include "stream.h"

namespace culoss::cuda {
namespace {

static_assert(sizeof(cudaIpcMemHandle_t) == sizeof(IpcHandle));

// Memory at an address, which `give_back` takes when nothing touches it any more.
template <class GiveBack>
std::shared_ptr<Memory> held(int index, void* address, size_t bytes, const GiveBack& give_back) {
  return {new Memory{index, address, bytes, nullptr, {}}, [give_back](Memory* memory) noexcept {
            const std::unique_ptr<Memory> owned(memory);
            try {
              const Current current(memory->device);
              wait_for_uses(*memory);
              give_back();
            } catch (const Error&) {
              // The device is lost, and its memory with it.
            }
            cudaGetLastError();  // an error here must not be taken for one of the next call
          }};
}

}  // namespace

std::shared_ptr<Memory> allocate_shareable(int index, size_t bytes) {
  const Current current(device(index).index);
  void* address = nullptr;
  check(cudaMalloc(&address, bytes), "cudaMalloc");
  return held(index, address, bytes, [address] { cudaFree(address); });
}

IpcHandle ipc_handle_of(const Memory& memory) {
  const Current current(memory.device);
  cudaIpcMemHandle_t handle;
  check(cudaIpcGetMemHandle(&handle, memory.address), "cudaIpcGetMemHandle");
  IpcHandle bytes;
  std::memcpy(bytes.data(), &handle, sizeof handle);
  return bytes;
}

std::shared_ptr<Memory> open_shared(int index, const IpcHandle& bytes_of_handle, size_t offset,
                                    size_t bytes) {
  const Current current(device(index).index);
  cudaIpcMemHandle_t handle;
  std::memcpy(&handle, bytes_of_handle.data(), sizeof handle);
  void* base = nullptr;
  check(cudaIpcOpenMemHandle(&base, handle, cudaIpcMemLazyEnablePeerAccess),
        "cudaIpcOpenMemHandle");
  void* const address = static_cast<char*>(base) + offset;
  const auto close = [base] { cudaIpcCloseMemHandle(base); };
  try {
    expect_memory_of(index, address, bytes);
  } catch (const Error&) {
    close();
    throw;
  }
  return held(index, address, bytes, close);
}

}  // namespace culoss::cuda
