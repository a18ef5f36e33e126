// Memory of a device, and who touched it last. No CUDA type: the addon holds it, too.
#pragma once

#include <stddef.h>

#include <memory>
#include <vector>

namespace culoss::cuda {

struct Stream;

// Freed, behind all that was enqueued with it, when the last holder lets go: a tensor or a graph.
struct Memory {
  int device;
  void* address;
  size_t bytes;
  // Who comes next waits for the stream that wrote it last, and to write it for all that have read
  // it since. None where that is done.
  std::shared_ptr<Stream> writer;
  std::vector<std::shared_ptr<Stream>> readers;
};

// What an operation does with memory.
struct Use {
  std::shared_ptr<Memory> memory;
  bool is_written;
};

}  // namespace culoss::cuda
