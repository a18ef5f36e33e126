// Streams, and what they wait for.
#include <algorithm>

#include "engine.h"
#include "event.h"
#include "graph.h"
#include "settle.h"
#include "stream.h"

namespace culoss::cuda {
namespace {

thread_local Stream* current = nullptr;  // of the calling thread; null for the main ones

bool is_closed(const Stream& stream) { return stream.handle == nullptr; }

void add(std::vector<Stream*>& streams, const std::shared_ptr<Stream>& stream, const Stream& to) {
  if (!stream || is_closed(*stream) || stream.get() == &to) return;
  if (std::ranges::find(streams, stream.get()) == streams.end()) streams.push_back(stream.get());
}

bool is_among(const std::vector<std::shared_ptr<Stream>>& streams, const Stream& stream) {
  return std::ranges::any_of(streams, [&](const auto& one) { return one.get() == &stream; });
}

// Frees what a stream has; what is not done yet comes first.
void give_back(Stream& stream) noexcept {
  if (stream.words) cudaFreeAsync(stream.words, stream.handle);
  if (stream.tail) cudaEventDestroy(stream.tail);
  if (stream.handle) cudaStreamDestroy(stream.handle);
  cudaGetLastError();  // an error here must not be taken for one of the next call
  stream.words = nullptr;
  stream.tail = nullptr;
  stream.handle = nullptr;
}

}  // namespace

void Stream::wait_for(const Stream& other) const {
  check(cudaEventRecord(other.tail, other.handle), "cudaEventRecord");
  check(cudaStreamWaitEvent(handle, other.tail, 0), "cudaStreamWaitEvent");
}

std::shared_ptr<Stream> open_stream(const Device& device) {
  const auto stream = std::make_shared<Stream>(device);
  try {
    check(cudaStreamCreateWithFlags(&stream->handle, cudaStreamNonBlocking),
          "cudaStreamCreateWithFlags");
    check(cudaEventCreateWithFlags(&stream->tail, cudaEventDisableTiming),
          "cudaEventCreateWithFlags");
    check(cudaMallocFromPoolAsync(&stream->words, sizeof(Words), device.pool, stream->handle),
          "cudaMallocFromPoolAsync");
    reset_words(stream->words, *stream);
  } catch (const Error&) {
    give_back(*stream);
    throw;
  }
  return stream;
}

Stream& stream_on(const Device& device) {
  if (current == nullptr || current->device != &device) return *device.main;
  expect_open(*current);
  if (current->graph == nullptr) leave_unread(*current, current->words);
  return *current;
}

Stream& stream_beside_capture(const Device& device) {
  return captured_graph() ? *device.main : stream_on(device);
}

Graph* captured_graph() { return current ? current->graph : nullptr; }

void expect_no_capture(const char* what) {
  if (captured_graph() == nullptr) return;
  throw Error("ERR_CUDA",
              std::string("cuda.graph: expected calls that a replay can repeat, got ") + what);
}

void expect_device_of_capture(int index) {
  const Graph* graph = captured_graph();
  if (graph == nullptr || graph->device->index == index) return;
  const auto name = [](int of) { return of < 0 ? "cpu" : "cuda:" + std::to_string(of); };
  throw Error("ERR_DEVICE", "cuda.graph: expected calls on the device of the graph, " +
                                name(graph->device->index) + ", got one on " + name(index));
}

void order(Stream& stream, std::span<const Use> uses) {
  if (stream.graph) {
    for (const Use& use : uses) keep(*stream.graph, use);
    return;
  }
  std::vector<Stream*> before;
  for (const auto& [memory, is_written] : uses) {
    // Who has read it has waited for its writer.
    if (!is_among(memory->readers, stream)) add(before, memory->writer, stream);
    if (!is_written) continue;
    for (const auto& reader : memory->readers) add(before, reader, stream);
  }
  for (const Stream* other : before) stream.wait_for(*other);
  for (const auto& [memory, is_written] : uses) {
    if (is_written) {
      if (memory->writer.get() != &stream) memory->writer = stream.shared_from_this();
      memory->readers.clear();
    } else if (memory->writer.get() != &stream && !is_among(memory->readers, stream)) {
      std::erase_if(memory->readers, [](const auto& reader) { return is_closed(*reader); });
      memory->readers.push_back(stream.shared_from_this());
    }
  }
}

void expect_open(const Stream& stream) {
  if (is_closed(stream)) throw Error("ERR_DISPOSED", "the stream was disposed");
}

void synchronize(int index) {
  const Device& on = device(index);
  const Current guard(index);
  settle(on);
}

std::shared_ptr<Stream> make_stream(int index) {
  const Device& on = device(index);
  const Current guard(index);
  return open_stream(on);
}

uintptr_t address_of(const Stream& stream) { return reinterpret_cast<uintptr_t>(stream.handle); }

void synchronize(Stream& stream) {
  expect_open(stream);
  expect_no_capture("a wait for a stream");
  const Current guard(stream.device->index);
  // Others may have enqueued in it by its address.
  check(cudaStreamSynchronize(stream.handle), "cudaStreamSynchronize");
  settle(stream);
}

double time(Stream& stream, const std::function<void()>& work) {
  const Entered entered(stream);
  const Current guard(stream.device->index);
  // What was enqueued before, anywhere, is no part of it: it comes before the start.
  stream.wait_for(*stream.device->main);
  for (const Unread& one : unread_on(*stream.device)) {
    if (one.stream != &stream) stream.wait_for(*one.stream);
  }
  const Event start, end;
  start.record(stream);
  work();
  expect_open(stream);
  end.record(stream);
  synchronize(stream);
  return end.milliseconds_since(start);
}

void close(Stream& stream) noexcept {
  if (is_closed(stream)) return;
  settle_later(stream);
  cudaStreamSynchronize(stream.handle);  // an error here is that of a lost device
  give_back(stream);
}

Entered::Entered(Stream& stream) : previous_(current) {
  expect_open(stream);
  expect_no_capture("another stream");
  current = &stream;
}
Entered::~Entered() { current = previous_; }

}  // namespace culoss::cuda
