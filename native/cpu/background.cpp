#include "background.h"

#include <condition_variable>
#include <deque>
#include <mutex>

#include "../core/error.h"
#include "../core/thread.h"
#include "threads.h"

namespace culoss::cpu {
namespace {

// As the pool, it never ends.
class Background {
 public:
  void add(std::shared_ptr<Job> job) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto serve = [](void* background) { static_cast<Background*>(background)->serve(); };
    if (!has_thread_ && !start_thread(serve, this)) {
      throw Error("ERR_OUT_OF_MEMORY", "the system has no thread left for this call");
    }
    has_thread_ = true;
    jobs_.push_back(std::move(job));
    wake_.notify_one();
  }

 private:
  void serve() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return !jobs_.empty(); });
      const std::shared_ptr<Job> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job->run();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  bool has_thread_ = false;
};

}  // namespace

void Job::begin(std::function<void()> over) {
  static Background* const background = new Background;
  over_ = std::move(over);
  background->add(shared_from_this());
}

bool Job::stop() {
  stop_ = true;
  State waiting = State::waiting;
  return state_.compare_exchange_strong(waiting, State::stopped);
}

void Job::end() {
  if (error_) std::rethrow_exception(error_);
}

void Job::run() {
  State waiting = State::waiting;
  if (!state_.compare_exchange_strong(waiting, State::begun)) return;
  try {
    const InBackground here(stop_);
    work_();
  } catch (...) {
    error_ = std::current_exception();
  }
  over_();
}

}  // namespace culoss::cpu
