// The CUDA engine as the addon sees it: no CUDA type, so that a build without CUDA has it too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "../core/call.h"
#include "../core/task.h"
#include "memory.h"

namespace culoss::cuda {

struct Reason {
  std::string code;
  std::string message;
  std::string hint;
};

struct Properties {
  std::string name;
  int major;
  int minor;
  size_t total_memory;  // bytes
};

// Of the pool that memory of a device comes from, but for what is shared or foreign, in bytes.
struct PoolMemory {
  size_t allocated;
  size_t reserved;
  size_t peak;
  size_t limit;  // SIZE_MAX where there is none
};

// Why no device can be used; nothing where one can.
std::optional<Reason> unavailable_reason();
int device_count();
Properties properties(int device);

// These wait for nothing.
PoolMemory pool_memory(int device);
void reset_peak_memory(int device);
void empty_cache(int device);
// Nothing means none.
void limit_memory(int device, std::optional<size_t> bytes);

// What follows is enqueued in the calling thread's stream: the device's main one, or that of
// `Entered`. It waits, on the device, for whatever touched its memory in another stream.

std::shared_ptr<Memory> allocate(int device, size_t bytes);

// Memory with these bytes. This waits for no other work, unless the pool has to for memory.
std::shared_ptr<Memory> upload(int device, const void* from, size_t bytes);

// Memory of someone else. When the last holder lets go, `released`, if there is one, is given a
// task that is over when nothing touches it any more, or none if nothing does. It must not throw.
using Released = std::function<void(std::shared_ptr<Task>)>;
std::shared_ptr<Memory> adopt(int device, void* address, size_t bytes, Released released);

// Memory that processes share, by a handle; other processes open it. To let go of it waits for what
// was enqueued with it.
using IpcHandle = std::array<unsigned char, 64>;
std::shared_ptr<Memory> allocate_shareable(int device, size_t bytes);
IpcHandle ipc_handle_of(const Memory& memory);
std::shared_ptr<Memory> open_shared(int device, const IpcHandle& handle, size_t offset,
                                    size_t bytes);

// Memory of the host that devices read and write by themselves.
void* allocate_pinned(size_t bytes);
void free_pinned(void* memory) noexcept;

// All bytes of the memory. The source may be changed as soon as this returns.
void copy_to_device(const std::shared_ptr<Memory>& to, const void* from);
// As many bytes. Between devices this waits for both.
void copy_on_device(const std::shared_ptr<Memory>& to, const std::shared_ptr<Memory>& from);

// These wait for the device, and throw what a call before them deferred: ERR_TARGET_RANGE.
void copy_to_host(void* to, const Memory& from);
void synchronize(int device);
// The same as tasks, of what has been enqueued by now. The bytes go through memory of the device,
// where they stay what they are.
std::shared_ptr<Task> copying_to_host(void* to, const std::shared_ptr<Memory>& from,
                                      const std::shared_ptr<Memory>& through);
std::shared_ptr<Task> synchronizing(int device);

// Enqueues the loss, and the gradient if `call.grad` is set. `uses` is the memory of its operands.
void run(const Call& call, std::span<const Use> uses);

// A stream belongs to the thread that makes it.
std::shared_ptr<Stream> make_stream(int device);
uintptr_t address_of(const Stream& stream);
void synchronize(Stream& stream);
std::shared_ptr<Task> synchronizing(Stream& stream);
// The time on the device of what `work` enqueues in the stream, in milliseconds. Waits.
double time(Stream& stream, const std::function<void()>& work);
// Waits for its work. What that deferred is thrown at the next wait for the device.
void close(Stream& stream) noexcept;

// Makes a stream the calling thread's for a while.
class Entered {
 public:
  explicit Entered(Stream& stream);
  ~Entered();
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Stream* previous_;
};

struct Graph;

// Collects what `work` enqueues, without running it, and the memory that this touches.
std::shared_ptr<Graph> capture(int device, const std::function<void()>& work);
// Enqueues it, with one launch.
void replay(Graph& graph);

// Throws ERR_CUDA if a graph is being captured: `what` waits, or belongs elsewhere.
void expect_no_capture(const char* what);
// Throws ERR_DEVICE if a graph is being captured on another device: it would miss the call.
void expect_device_of_capture(int device);

}  // namespace culoss::cuda
