// The CUDA engine as the addon sees it: no CUDA type, so that a build without CUDA has it too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <string>

#include "../core/call.h"

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

// Why no device can be used; nothing where one can.
std::optional<Reason> unavailable_reason();
int device_count();
Properties properties(int device);

// Memory in the order of the device's stream: `release` may be called while work is in flight.
void* allocate(int device, size_t bytes);
void release(int device, void* memory) noexcept;

// The source may be changed as soon as these return.
void copy_to_device(int device, void* to, const void* from, size_t bytes);
void copy_between_devices(int to_device, void* to, int from_device, const void* from, size_t bytes);

// These wait for the device, and throw what a call before them deferred: ERR_TARGET_RANGE.
void copy_to_host(int device, void* to, const void* from, size_t bytes);
void synchronize(int device);

// Enqueues the loss, and the gradient if `call.grad` is set.
void run(const Call& call);

}  // namespace culoss::cuda
