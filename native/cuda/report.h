// Memory of the host that a device writes in the order of a stream: one error for each wait.
#pragma once

#include "event.h"

namespace culoss::cuda {

// A place for one error. It is not used again before the device has come to what writes it.
class Report {
 public:
  Report();
  ~Report();
  Report(Report&& other) noexcept
      : error_(std::exchange(other.error_, nullptr)),
        written_(std::move(other.written_)),
        state_(other.state_) {}
  Report& operator=(Report&&) = delete;

  const TargetError& error() const { return *error_; }
  // Where the device is to write, and then that it does so in what a stream was given.
  TargetError* expect();
  void record(const Stream& stream);
  bool is_written();

 private:
  enum class State { idle, expected, recorded, written };

  TargetError* error_;
  Event written_;
  State state_ = State::idle;
};

}  // namespace culoss::cuda
