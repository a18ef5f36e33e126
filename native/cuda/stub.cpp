// The CUDA engine of a build without CUDA: it says so, and refuses everything else.
#include "../core/error.h"
#include "engine.h"

namespace culoss::cuda {
namespace {

const char kMessage[] = "this build of culoss has no CUDA engine";

[[noreturn]] void refuse() { throw Error("ERR_CUDA_UNAVAILABLE", kMessage); }

}  // namespace

std::optional<Reason> unavailable_reason() {
  return Reason{"ERR_CUDA_UNAVAILABLE", kMessage,
                "install the CUDA toolkit (nvcc), build culoss again, or run on the CPU"};
}
int device_count() { return 0; }
Properties properties(int) { refuse(); }
PoolMemory pool_memory(int) { refuse(); }
void reset_peak_memory(int) { refuse(); }
void empty_cache(int) { refuse(); }
void limit_memory(int, std::optional<size_t>) { refuse(); }
std::shared_ptr<Memory> allocate(int, size_t) { refuse(); }
std::shared_ptr<Memory> upload(int, const void*, size_t) { refuse(); }
std::shared_ptr<Memory> adopt(int, void*, size_t, Released) { refuse(); }
std::shared_ptr<Memory> allocate_shareable(int, size_t) { refuse(); }
IpcHandle ipc_handle_of(const Memory&) { refuse(); }
std::shared_ptr<Memory> open_shared(int, const IpcHandle&, size_t, size_t) { refuse(); }
void* allocate_pinned(size_t) { refuse(); }
void free_pinned(void*) noexcept {}
void copy_to_device(const std::shared_ptr<Memory>&, const void*) { refuse(); }
void copy_on_device(const std::shared_ptr<Memory>&, const std::shared_ptr<Memory>&) { refuse(); }
void copy_to_host(void*, const Memory&) { refuse(); }
void synchronize(int) { refuse(); }
std::shared_ptr<Task> copying_to_host(void*, const std::shared_ptr<Memory>&,
                                      const std::shared_ptr<Memory>&) {
  refuse();
}
std::shared_ptr<Task> synchronizing(int) { refuse(); }
void run(const Call&, std::span<const Use>) { refuse(); }
std::shared_ptr<Stream> make_stream(int) { refuse(); }
uintptr_t address_of(const Stream&) { refuse(); }
void synchronize(Stream&) { refuse(); }
std::shared_ptr<Task> synchronizing(Stream&) { refuse(); }
double time(Stream&, const std::function<void()>&) { refuse(); }
void close(Stream&) noexcept {}
Entered::Entered(Stream&) { refuse(); }
Entered::~Entered() {}
std::shared_ptr<Graph> capture(int, const std::function<void()>&) { refuse(); }
void replay(Graph&) { refuse(); }
void expect_no_capture(const char*) {}
void expect_device_of_capture(int) {}

}  // namespace culoss::cuda
