// Capture and replay. The mode is relaxed: nothing that waits is ever given to the stream that is
// captured, and what other threads, or the other streams of this one, do meanwhile is their affair:
// uploads and allocations go to streams of the device, and are not repeated.
#include <algorithm>

#include "engine.h"
#include "graph.h"
#include "settle.h"

namespace culoss::cuda {
namespace {

void destroy(Graph* graph) noexcept {
  const std::unique_ptr<Graph> owned(graph);
  if (graph->words) {
    settle_later(static_cast<Words*>(graph->words->address));
    const auto& last = graph->words->writer;  // each replay waits for the one before
    if (last && last->handle) cudaStreamSynchronize(last->handle);
  }
  // An error here must not be taken for one of the next call.
  if (graph->exec && cudaGraphExecDestroy(graph->exec) != cudaSuccess) cudaGetLastError();
}

// A stream that is being captured, until it is ended, or abandoned.
class Capture {
 public:
  explicit Capture(Graph& graph) : stream_(*graph.device) {
    stream_.graph = &graph;
    stream_.words = static_cast<Words*>(graph.words->address);
    check(cudaStreamCreateWithFlags(&stream_.handle, cudaStreamNonBlocking),
          "cudaStreamCreateWithFlags");
    const cudaError_t status = cudaStreamBeginCapture(stream_.handle, cudaStreamCaptureModeRelaxed);
    is_capturing_ = status == cudaSuccess;
    if (!is_capturing_) cudaStreamDestroy(stream_.handle);
    check(status, "cudaStreamBeginCapture");
  }
  ~Capture() {
    cudaGraph_t abandoned = nullptr;
    if (is_capturing_) cudaStreamEndCapture(stream_.handle, &abandoned);
    if (graph_) cudaGraphDestroy(graph_);
    if (abandoned) cudaGraphDestroy(abandoned);
    cudaStreamDestroy(stream_.handle);
    cudaGetLastError();  // an error here must not be taken for one of the next call
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void collect(const std::function<void()>& work) {
    const Entered entered(stream_);
    work();
  }

  cudaGraphExec_t end() {
    is_capturing_ = false;
    check(cudaStreamEndCapture(stream_.handle, &graph_), "cudaStreamEndCapture");
    cudaGraphExec_t exec = nullptr;
    check(cudaGraphInstantiate(&exec, graph_, 0), "cudaGraphInstantiate");
    return exec;
  }

 private:
  Stream stream_;
  cudaGraph_t graph_ = nullptr;
  bool is_capturing_ = false;
};

}  // namespace

void keep(Graph& graph, const Use& use) {
  const auto known = std::ranges::find(graph.uses, use.memory, &Use::memory);
  if (known == graph.uses.end()) {
    graph.uses.push_back(use);
  } else {
    known->is_written |= use.is_written;
  }
}

void* kept_workspace(Graph& graph, size_t bytes) {
  const Use use{allocate(graph.device->index, bytes), true};
  keep(graph, use);
  return use.memory->address;
}

std::shared_ptr<Graph> capture(int index, const std::function<void()>& work) {
  expect_no_capture("another graph");
  const Device& on = device(index);
  const Current current(index);
  const std::shared_ptr<Graph> graph(new Graph(on), destroy);
  graph->words = allocate(index, sizeof(Words));
  keep(*graph, {graph->words, true});
  reset_words(static_cast<Words*>(graph->words->address), stream_on(on));
  Capture capture(*graph);
  capture.collect(work);
  graph->exec = capture.end();
  return graph;
}

void replay(Graph& graph) {
  expect_no_capture("a replay");
  const Current current(graph.device->index);
  Stream& stream = stream_on(*graph.device);
  order(stream, graph.uses);
  check(cudaGraphLaunch(graph.exec, stream.handle), "cudaGraphLaunch");
  leave_unread(stream, static_cast<Words*>(graph.words->address));
}

}  // namespace culoss::cuda
