// Streams and events. Work waits until someone waits for it, as late as CUDA may run it: what has
// no event before it is run too late, or too early, and a test sees that.
//
// CULOSS_EMULATION_STREAMS   `others` runs all other streams before the one that is waited for
// CULOSS_EMULATION_BUSY      milliseconds from when an event is recorded until a query finds it
// done
#include <stdlib.h>
#include <string.h>

#include <set>

#include "run.h"
#include "runtime.h"

namespace {

using Clock = std::chrono::steady_clock;

// A place in the work of a stream.
struct Mark {
  EmulatedStream* stream;
  bool is_done = false;
  Clock::time_point when{};
  Clock::time_point soonest{};  // that a query finds it done
};

}  // namespace

struct EmulatedEvent {
  std::shared_ptr<Mark> last;  // where it was recorded last
};

namespace emulation {
namespace {

std::set<EmulatedStream*>& streams() {
  static auto& set = *new std::set<EmulatedStream*>;
  return set;
}

cudaError_t run_next(EmulatedStream& stream) {
  const Work work = std::move(stream.work.front());
  stream.work.pop_front();
  return work();
}

cudaError_t run_until(const Mark& mark) {
  cudaError_t error = cudaSuccess;
  while (!mark.is_done) {
    if (const cudaError_t now = run_next(*mark.stream); now != cudaSuccess) error = now;
  }
  return error;
}

}  // namespace

cudaError_t drain(cudaStream_t stream) {
  const char* const order = getenv("CULOSS_EMULATION_STREAMS");
  cudaError_t error = cudaSuccess;
  if (order && strcmp(order, "others") == 0) {
    for (EmulatedStream* other : streams()) {
      while (other != stream && !other->work.empty()) run_next(*other);
    }
  }
  while (!stream->work.empty()) {
    if (const cudaError_t now = run_next(*stream); now != cudaSuccess) error = now;
  }
  return error;
}

void drain_all() {
  for (EmulatedStream* stream : streams()) drain(stream);
}

cudaError_t enqueue_work(cudaStream_t stream, Work work) {
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  if (stream->captured) {
    stream->captured->nodes.push_back(std::move(work));
  } else {
    stream->work.push_back(std::move(work));
  }
  return cudaSuccess;
}

cudaError_t enqueue(const cudaLaunchConfig_t& config, std::function<void()> kernel) {
  const Lock hold(lock());
  note("cudaLaunchKernelEx");
  if (!can_launch(config)) return remember(cudaErrorInvalidValue);
  return enqueue_work(config.stream,
                      [config, cluster = cluster_of(config), kernel = std::move(kernel)] {
                        note("kernel");
                        if (!run_grid(config, cluster, kernel)) return cudaErrorLaunchFailure;
                        check_memory();
                        return cudaSuccess;
                      });
}

}  // namespace emulation

using namespace emulation;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock hold(lock());
  note("cudaStreamCreateWithFlags");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *stream = new EmulatedStream;
  streams().insert(*stream);
  add_live(1);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaStreamDestroy");
  if (stream->captured) fail("a stream is destroyed that is being captured");
  drain(stream);
  streams().erase(stream);
  delete stream;
  add_live(-1);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaStreamSynchronize");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  return remember(drain(stream));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const Lock hold(lock());
  note("cudaEventCreateWithFlags");
  if (is_to_fail()) return remember(cudaErrorMemoryAllocation);
  *event = new EmulatedEvent;
  add_live(1);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Lock hold(lock());
  note("cudaEventDestroy");
  delete event;
  add_live(-1);
  return cudaSuccess;
}
// CUDA would draw other streams into a capture, or end it: the engine never means to.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock hold(lock());
  note("cudaEventRecord");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  const auto mark = std::make_shared<Mark>(Mark{stream});
  const char* const busy = getenv("CULOSS_EMULATION_BUSY");
  if (busy) mark->soonest = Clock::now() + std::chrono::milliseconds(atoi(busy));
  const cudaError_t error = enqueue_work(stream, [mark] {
    mark->is_done = true;
    mark->when = Clock::now();
    return cudaSuccess;
  });
  if (error == cudaSuccess) event->last = mark;
  return error;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const Lock hold(lock());
  note("cudaStreamWaitEvent");
  if (stream->captured) return remember(cudaErrorStreamCaptureUnsupported);
  if (event->last == nullptr) return cudaSuccess;
  return enqueue_work(stream, [mark = event->last] { return run_until(*mark); });
}
// What is asked for runs, but not before its time.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock hold(lock());
  note("cudaEventQuery");
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  if (Clock::now() < event->last->soonest) return remember(cudaErrorNotReady);
  return remember(run_until(*event->last));
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const Lock hold(lock());
  note("cudaEventElapsedTime");
  if (is_to_fail()) return remember(cudaErrorLaunchFailure);
  if (!start->last || !end->last) return remember(cudaErrorInvalidValue);
  if (!start->last->is_done || !end->last->is_done) return remember(cudaErrorNotReady);
  const auto passed = end->last->when - start->last->when;
  *milliseconds = std::chrono::duration<float, std::milli>(passed).count();
  return cudaSuccess;
}
