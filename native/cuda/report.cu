#include <algorithm>
#include <mutex>
#include <vector>

#include "report.h"

namespace culoss::cuda {
namespace {

// Reports of all devices and threads. Their memory is never given back: no CUDA call runs at exit.
class Reports {
 public:
  static Reports& instance() {
    static auto& reports = *new Reports;
    return reports;
  }

  TargetError* take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) reclaim();
    if (free_.empty()) add_page();
    TargetError* const taken = free_.back();
    free_.pop_back();
    return taken;
  }
  void give(TargetError* place) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(place);
  }
  // The same of one that may still be written, by a wait that was ended early.
  void abandon(TargetError* place, Event&& written) {
    const std::lock_guard<std::mutex> lock(mutex_);
    abandoned_.push_back({place, std::move(written)});
  }

 private:
  struct Abandoned {
    TargetError* place;
    Event written;
  };

  void reclaim() {
    std::erase_if(abandoned_, [&](const Abandoned& one) {
      try {
        if (!one.written.is_done()) return false;
        free_.push_back(one.place);
      } catch (const Error&) {
        // The device is lost, and the place with it.
      }
      return true;
    });
  }

  void add_page() {
    constexpr size_t kReports = 4096 / sizeof(TargetError);
    TargetError* page = nullptr;
    check(cudaHostAlloc(&page, kReports * sizeof(TargetError), cudaHostAllocPortable),
          "cudaHostAlloc");
    for (size_t i = 0; i < kReports; ++i) free_.push_back(page + i);
  }

  std::mutex mutex_;
  std::vector<TargetError*> free_;
  std::vector<Abandoned> abandoned_;
};

}  // namespace

Report::Report() : error_(nullptr), written_(cudaEventDisableTiming) {
  error_ = Reports::instance().take();
  *error_ = {};
}

Report::~Report() {
  if (error_ == nullptr || state_ == State::expected) return;  // who knows when it is written
  try {
    if (state_ == State::idle || is_written()) {
      Reports::instance().give(error_);
      return;
    }
  } catch (const Error&) {
    // The device is lost, and the place with it.
  }
  Reports::instance().abandon(error_, std::move(written_));
}

TargetError* Report::expect() {
  state_ = State::expected;
  return error_;
}

void Report::record(const Stream& stream) {
  written_.record(stream);
  state_ = State::recorded;
}

bool Report::is_written() {
  if (state_ == State::recorded && written_.is_done()) state_ = State::written;
  return state_ == State::written;
}

}  // namespace culoss::cuda
