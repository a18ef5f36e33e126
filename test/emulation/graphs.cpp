// Capture: what a stream is given becomes the nodes of a graph, which a launch runs in their order.
#include "runtime.h"

struct EmulatedGraphExec {
  std::shared_ptr<const std::vector<Work>> nodes;
};

using namespace emulation;

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) { return cudaSuccess; }
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const Lock hold(lock());
  note("cudaStreamBeginCapture");
  if (stream->captured) return remember(cudaErrorIllegalState);
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  stream->captured = new EmulatedGraph;
  add_live(1);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock hold(lock());
  note("cudaStreamEndCapture");
  *graph = nullptr;
  if (stream->captured == nullptr) return remember(cudaErrorIllegalState);
  EmulatedGraph* const captured = std::exchange(stream->captured, nullptr);
  if (is_to_fail()) {
    delete captured;
    add_live(-1);
    return remember(cudaErrorMemoryAllocation);
  }
  *graph = captured;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const Lock hold(lock());
  note("cudaGraphDestroy");
  delete graph;
  add_live(-1);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const Lock hold(lock());
  note("cudaGraphInstantiate");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *exec = new EmulatedGraphExec{std::make_shared<const std::vector<Work>>(graph->nodes)};
  add_live(1);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaGraphLaunch");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  return enqueue_work(stream, [nodes = exec->nodes] {
    cudaError_t error = cudaSuccess;
    for (const Work& node : *nodes) {
      if (const cudaError_t now = node(); now != cudaSuccess) error = now;
    }
    return error;
  });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const Lock hold(lock());
  note("cudaGraphExecDestroy");
  delete exec;
  add_live(-1);
  return cudaSuccess;
}
