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
        is_written_(other.is_written_) {}
  Report& operator=(Report&&) = delete;

  TargetError* address() const { return error_; }
  // Behind what writes it.
  void record(const Stream& stream);
  bool is_written();

 private:
  TargetError* error_;
  Event written_;
  bool is_written_ = true;  // nothing is to come, as far as is known
};

}  // namespace culoss::cuda
