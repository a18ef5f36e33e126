#include <algorithm>
#include <mutex>
#include <vector>

#include "slots.h"

namespace culoss::cuda {
namespace {

// Slots of all devices and threads. Their memory is never given back: no CUDA call runs at exit.
class Slots {
 public:
  static Slots& instance() {
    static auto& slots = *new Slots;
    return slots;
  }

  TargetError* take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) reclaim();
    if (free_.empty()) add_page();
    TargetError* const taken = free_.back();
    free_.pop_back();
    return taken;
  }
  void give(TargetError* slot) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(slot);
  }
  // The same of one that may still be written, by a wait that was ended early.
  void abandon(TargetError* slot, Event&& written) {
    const std::lock_guard<std::mutex> lock(mutex_);
    abandoned_.push_back({slot, std::move(written)});
  }

 private:
  struct Abandoned {
    TargetError* slot;
    Event written;
  };

  void reclaim() {
    std::erase_if(abandoned_, [&](const Abandoned& one) {
      if (!one.written.is_done()) return false;
      free_.push_back(one.slot);
      return true;
    });
  }

  void add_page() {
    constexpr size_t kSlots = 4096 / sizeof(TargetError);
    TargetError* page = nullptr;
    check(cudaHostAlloc(&page, kSlots * sizeof(TargetError), cudaHostAllocPortable),
          "cudaHostAlloc");
    for (size_t i = 0; i < kSlots; ++i) free_.push_back(page + i);
  }

  std::mutex mutex_;
  std::vector<TargetError*> free_;
  std::vector<Abandoned> abandoned_;
};

}  // namespace

Slot::Slot() : error_(nullptr), written_(cudaEventDisableTiming) {
  error_ = Slots::instance().take();
  *error_ = {};
}

Slot::~Slot() {
  if (error_ == nullptr) return;
  try {
    if (is_written()) {
      Slots::instance().give(error_);
      return;
    }
  } catch (const Error&) {
    // The device is lost, and the slot with it.
  }
  Slots::instance().abandon(error_, std::move(written_));
}

void Slot::record(const Stream& stream) {
  written_.record(stream);
  is_written_ = false;
}

bool Slot::is_written() {
  is_written_ = is_written_ || written_.is_done();
  return is_written_;
}

}  // namespace culoss::cuda
