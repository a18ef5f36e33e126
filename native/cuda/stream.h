// Streams: what runs in one is in order; what shares memory is in order across them.
#pragma once

#include <memory>
#include <span>

#include "../core/target_range.h"
#include "device.h"
#include "memory.h"

namespace culoss::cuda {

// The first bad class id since the last read, on the device. `columns` is 0 while there is none.
struct TargetError {
  unsigned long long row;
  long long columns;
  GivenId id;
};

// What launches share on the device. Those that share them run one after the other: the launches of
// a stream, or of a graph.
struct Words {
  TargetError target_error;
  unsigned blocks_done;  // of the launch that runs
};

struct Graph;

struct Stream : std::enable_shared_from_this<Stream> {
  explicit Stream(const Device& of) : device(&of) {}

  const Device* device;
  cudaStream_t handle = nullptr;  // null once it is closed: all its work is done
  cudaEvent_t tail = nullptr;     // recorded when another stream waits for what this one has
  Words* words = nullptr;         // (1), device memory
  Graph* graph = nullptr;         // which captures this stream, or null

  // Makes what is enqueued from now on wait for what the other stream has been given so far.
  void wait_for(const Stream& other) const;
};

// A stream on its device, with words that are ready when its first launch runs.
std::shared_ptr<Stream> open_stream(const Device& device);

// Throws if it was closed.
void expect_open(const Stream& stream);

// Waits for whatever was enqueued with memory.
void wait_for_uses(const Memory& memory) noexcept;

// The calling thread's stream of a device.
Stream& stream_on(const Device& device);
// The same, or the main one during a capture: for what is done once, and not with every replay.
Stream& stream_beside_capture(const Device& device);
// The graph that the calling thread captures, or null.
Graph* captured_graph();

// Puts the next operation of a stream behind whatever touched its memory in others. During a
// capture the graph keeps the memory, and each replay is ordered instead.
void order(Stream& stream, std::span<const Use> uses);

}  // namespace culoss::cuda
