// Memory that processes share: a file without a name, which others find by that of the process.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>

#include "runtime.h"

namespace {

struct Region {
  void* begin;
  size_t bytes;
  int file;  // of the process that allocated it; -1 in others
};

// By the address that the engine has.
std::map<void*, Region>& regions() {
  static auto& map = *new std::map<void*, Region>;
  return map;
}

struct Handle {
  int process;
  int file;
  size_t bytes;
};
static_assert(sizeof(Handle) <= sizeof(cudaIpcMemHandle_t));

cudaError_t map_region(void** memory, size_t bytes, int file, bool is_owner) {
  const size_t whole = bytes + 2 * emulation::kGuard;
  void* const begin = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (begin == MAP_FAILED) return emulation::remember(cudaErrorMemoryAllocation);
  *memory = static_cast<char*>(begin) + emulation::kGuard;
  if (is_owner) emulation::poison(*memory, bytes);
  regions()[*memory] = {begin, bytes, is_owner ? file : -1};
  emulation::add_shared(*memory, bytes);
  return cudaSuccess;
}

void unmap_region(void* memory) {
  const Region region = regions().at(memory);
  emulation::remove_shared(memory);
  munmap(region.begin, region.bytes + 2 * emulation::kGuard);
  if (region.file >= 0) close(region.file);
  regions().erase(memory);
}

}  // namespace

using namespace emulation;

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const Lock hold(lock());
  note("cudaMalloc");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  const int file = memfd_create("culoss", 0);
  if (file < 0 || ftruncate(file, off_t(bytes + 2 * kGuard)) != 0) {
    return remember(cudaErrorMemoryAllocation);
  }
  return map_region(memory, bytes, file, true);
}
// It waits for the device.
cudaError_t cudaFree(void* memory) {
  const Lock hold(lock());
  note("cudaFree");
  drain_all();
  unmap_region(memory);
  return cudaSuccess;
}
cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* memory) {
  const Lock hold(lock());
  note("cudaIpcGetMemHandle");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  const auto found = regions().find(memory);
  if (found == regions().end()) return remember(cudaErrorInvalidValue);
  const Handle own{getpid(), found->second.file, found->second.bytes};
  memset(handle, 0, sizeof *handle);
  memcpy(handle, &own, sizeof own);
  return cudaSuccess;
}
cudaError_t cudaIpcOpenMemHandle(void** memory, cudaIpcMemHandle_t handle, unsigned) {
  const Lock hold(lock());
  note("cudaIpcOpenMemHandle");
  if (is_to_fail()) return remember(cudaErrorInvalidValue);
  Handle other;
  memcpy(&other, &handle, sizeof other);
  // CUDA opens none in the process that it comes from.
  if (other.process == getpid()) return remember(cudaErrorInvalidValue);
  const std::string path =
      "/proc/" + std::to_string(other.process) + "/fd/" + std::to_string(other.file);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return remember(cudaErrorInvalidValue);
  const cudaError_t status = map_region(memory, other.bytes, file, false);
  close(file);
  return status;
}
cudaError_t cudaIpcCloseMemHandle(void* memory) {
  const Lock hold(lock());
  note("cudaIpcCloseMemHandle");
  unmap_region(memory);
  return cudaSuccess;
}
