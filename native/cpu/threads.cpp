#include "threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "../core/thread.h"

namespace culoss::cpu {
namespace {

int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, int(std::thread::hardware_concurrency()));
}

thread_local const std::atomic<bool>* stop_of_background = nullptr;

// Workers are started when first needed and sleep between calls. They never end: the pool is
// leaked on purpose, because joining threads while a process exits can deadlock.
class Pool {
 public:
  using Task = void (*)(void*, int64_t);

  const int cores = usable_cores();
  std::atomic<int> limit{cores};  // of the default
  std::atomic<int> chosen{0};     // 0: the default

  int size() const { return chosen > 0 ? chosen.load() : limit.load(); }

  void run(int64_t count, int64_t most, Task f, void* context) {
    const std::atomic<bool>* const stop = stop_of_background;
    const int threads = stop ? std::max(1, size() - 1) : size();
    const int wanted = int(std::min<int64_t>({threads, most, count})) - 1;
    std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
    if (wanted > 0 && stop) wait_for(turn);
    if (wanted > 0 && !stop && waiting_ == 0) turn.try_lock();
    const int helpers = turn.owns_lock() ? start(wanted) : 0;
    if (helpers == 0) {
      for (int64_t i = 0; i < count && !(stop && *stop); ++i) f(context, i);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      f_ = f;
      context_ = context;
      stop_ = stop;
      count_ = count;
      next_ = 0;
      wanted_ = working_ = helpers;
      ++job_;
    }
    wake_.notify_all();
    take_chunks();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return working_ == 0; });
  }

 private:
  // Those who come meanwhile do without the pool.
  void wait_for(std::unique_lock<std::mutex>& turn) {
    ++waiting_;
    turn.lock();
    --waiting_;
  }

  // Makes sure of `wanted` workers; returns how many there are, fewer if the system gives no more.
  int start(int wanted) {
    const auto serve = [](void* pool) { static_cast<Pool*>(pool)->serve(); };
    while (started_ < wanted && start_thread(serve, this)) ++started_;
    return std::max(0, std::min(wanted, started_));
  }

  void serve() {
    const int index = serving_++;
    for (uint64_t seen = 0;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return job_ != seen; });
        seen = job_;
        if (index >= wanted_) continue;
      }
      take_chunks();
      const std::lock_guard<std::mutex> lock(mutex_);
      if (--working_ == 0) done_.notify_one();
    }
  }

  void take_chunks() {
    for (int64_t i; (i = next_.fetch_add(1)) < count_ && !(stop_ && *stop_);) f_(context_, i);
  }

  std::mutex turn_;              // one call at a time
  std::atomic<int> waiting_{0};  // for it
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Task f_ = nullptr;
  void* context_ = nullptr;
  const std::atomic<bool>* stop_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<int> serving_{0};  // workers that have begun
  uint64_t job_ = 0;
  int wanted_ = 0;   // workers that take part in the job
  int working_ = 0;  // of them, those that have not finished
  int started_ = 0;
};

Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

extern "C" int culoss_threads() { return pool().size(); }

InBackground::InBackground(const std::atomic<bool>& stop) { stop_of_background = &stop; }
InBackground::~InBackground() { stop_of_background = nullptr; }

void set_threads(int count) { pool().chosen = count; }

void limit_threads(int count) { pool().limit = std::min(count, pool().cores); }

extern "C" void culoss_parallel_for(int64_t count, int64_t most, void (*f)(void*, int64_t),
                                    void* context) {
  pool().run(count, most, f, context);
}

}  // namespace culoss::cpu
