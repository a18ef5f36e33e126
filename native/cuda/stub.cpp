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
void* allocate(int, size_t) { refuse(); }
void release(int, void*) noexcept {}
void copy_to_device(int, void*, const void*, size_t) { refuse(); }
void copy_between_devices(int, void*, int, const void*, size_t) { refuse(); }
void copy_to_host(int, void*, const void*, size_t) { refuse(); }
void synchronize(int) { refuse(); }
void run(const Call&) { refuse(); }

}  // namespace culoss::cuda
