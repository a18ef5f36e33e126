// Events: a place in the work of a stream.
#pragma once

#include "stream.h"

namespace culoss::cuda {

class Event {
 public:
  explicit Event(unsigned flags = cudaEventDefault) {
    check(cudaEventCreateWithFlags(&event_, flags), "cudaEventCreateWithFlags");
  }
  ~Event() {
    // An error here must not be taken for one of the next call.
    if (event_ && cudaEventDestroy(event_) != cudaSuccess) cudaGetLastError();
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }

  void record(const Stream& stream) const {
    check(cudaEventRecord(event_, stream.handle), "cudaEventRecord");
  }
  // Whether the device has come to it. Throws if it never will.
  bool is_done() const {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) {
      cudaGetLastError();  // no error
      return false;
    }
    check(status, "cudaEventQuery");
    return true;
  }
  float milliseconds_since(const Event& start) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace culoss::cuda
