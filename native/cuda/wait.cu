#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "../core/thread.h"
#include "engine.h"
#include "wait.h"

namespace culoss::cuda {
namespace {

using Clock = std::chrono::steady_clock;

// One thread for all that is waited for: it looks, and sleeps, the longer the longer nothing comes.
// A stream that has failed answers, too, where a function of the host in it would not be called.
class Watcher {
 public:
  void add(std::shared_ptr<Wait> wait) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto serve = [](void* watcher) { static_cast<Watcher*>(watcher)->serve(); };
    if (!has_thread_ && !start_thread(serve, this)) {
      throw Error("ERR_OUT_OF_MEMORY", "the system has no thread left to wait for the device");
    }
    has_thread_ = true;
    added_.push_back(std::move(wait));
    wake_.notify_one();
  }

 private:
  // An eighth of the time that was waited is not missed.
  static Clock::duration pause(Clock::duration waited) {
    using namespace std::chrono_literals;
    return std::clamp<Clock::duration>(waited / 8, 20us, 1ms);
  }

  void serve() {
    // What others capture in this process must not be in the way of a look, nor the other way
    // round.
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    cudaThreadExchangeStreamCaptureMode(&mode);
    std::vector<std::shared_ptr<Wait>> waits;
    Clock::time_point last;  // when something came
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        const auto has_more = [&] { return !added_.empty(); };
        if (waits.empty()) {
          wake_.wait(lock, has_more);
        } else {
          wake_.wait_for(lock, pause(Clock::now() - last), has_more);
        }
        if (has_more()) last = Clock::now();
        std::ranges::move(added_, std::back_inserter(waits));
        added_.clear();
      }
      for (std::shared_ptr<Wait>& wait : waits) {
        const Wait::Progress progress = wait->advance();
        if (progress != Wait::Progress::none) last = Clock::now();
        if (progress == Wait::Progress::all) hand_back(std::move(wait));
      }
      std::erase(waits, nullptr);
    }
  }

  // What it holds is let go by the thread that began it.
  static void hand_back(std::shared_ptr<Wait> wait) {
    const std::function<void()> over = wait->over();
    wait = nullptr;
    over();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Wait>> added_;
  bool has_thread_ = false;
};

std::shared_ptr<Wait> wait_for(const Device& device) {
  std::vector<Unread> all = unread_on(device);
  all.push_back({device.main.get(), device.main->words});
  return std::make_shared<Wait>(device, all);
}

}  // namespace

Wait::Wait(const Device& device, std::span<const Unread> unread) : device_(device) {
  // What may fail for want of memory comes first: then nothing has been moved.
  for (size_t i = 0; i < unread.size(); ++i) reports_.emplace_back();
  for (size_t i = 0; i < unread.size(); ++i) {
    move_error(unread[i], reports_[i].expect());
    reports_[i].record(*unread[i].stream);
  }
}

Wait::Wait(const Device& device, std::span<const Stream* const> streams) : device_(device) {
  for (const Stream* stream : streams) {
    Report& report = reports_.emplace_back();
    report.expect();
    report.record(*stream);
  }
}

void Wait::copy_then(std::shared_ptr<const Memory> from, void* to) {
  from_ = std::move(from);
  to_ = static_cast<char*>(to);
}

void Wait::begin(std::function<void()> over) {
  static Watcher* const watcher = new Watcher;  // as the pool, it never ends
  over_ = std::move(over);
  watcher->add(shared_from_this());
}

bool Wait::stop() {
  stop_ = true;
  return false;
}

void Wait::end() {
  if (failure_) std::rethrow_exception(failure_);
  std::optional<Error> first;
  for (const Report& report : reports_) {
    const auto& [row, columns, id] = report.error();
    if (columns == 0) continue;
    const Error error = target_range_error(int64_t(row), id, columns);
    if (first) {
      defer(device_, error);
    } else {
      first = error;
    }
  }
  if (first) throw *first;
}

Wait::Progress Wait::advance() noexcept {
  if (stop_) return Progress::all;
  try {
    const Current current(device_.index);
    return go_on();
  } catch (...) {
    failure_ = std::current_exception();
    return Progress::all;
  }
}

// Large copies come in pieces, so that others are not kept waiting.
Wait::Progress Wait::go_on() {
  constexpr size_t kPiece = 32 << 20;
  if (!std::ranges::all_of(reports_, &Report::is_written)) return Progress::none;
  if (!from_) return Progress::all;
  const size_t bytes = std::min(kPiece, from_->bytes - copied_);
  check(cudaMemcpyAsync(to_ + copied_, static_cast<const char*>(from_->address) + copied_, bytes,
                        cudaMemcpyDeviceToHost, device_.to_host),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(device_.to_host), "cudaStreamSynchronize");
  copied_ += bytes;
  return copied_ == from_->bytes ? Progress::all : Progress::some;
}

std::shared_ptr<Task> synchronizing(int index) {
  expect_no_capture("a wait for the device");
  const Device& on = device(index);
  const Current current(index);
  throw_deferred(on);
  return wait_for(on);
}

std::shared_ptr<Task> synchronizing(Stream& stream) {
  expect_open(stream);
  expect_no_capture("a wait for a stream");
  const Current current(stream.device->index);
  leave_unread(stream, stream.words);  // others may have enqueued in it by its address
  return std::make_shared<Wait>(*stream.device, unread_in(stream));
}

std::shared_ptr<Task> copying_to_host(void* to, const std::shared_ptr<Memory>& from,
                                      const std::shared_ptr<Memory>& through) {
  expect_no_capture("a read of device memory");
  const Device& on = device(from->device);
  const Current current(from->device);
  throw_deferred(on);
  copy_on_device(through, from);
  const auto wait = wait_for(on);
  wait->copy_then(through, to);
  return wait;
}

}  // namespace culoss::cuda
