// Work beside the threads of JavaScript, which it leaves a core: one piece after the other.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

namespace culoss::cpu {

class Job {
 public:
  // Both are called on a thread of the background, `over` behind `work`; neither may throw.
  Job(std::function<void()> work, std::function<void()> over)
      : work_(std::move(work)), over_(std::move(over)) {}

  // Ends it early: what it has given by then is of no use. Whether it had not begun: then nothing
  // is called any more.
  bool stop();

  void run();

 private:
  enum class State { waiting, begun, stopped };

  const std::function<void()> work_, over_;
  std::atomic<State> state_{State::waiting};
  std::atomic<bool> stop_{false};
};

// Throws if no thread is to be had.
void run_in_background(std::shared_ptr<Job> job);

}  // namespace culoss::cpu
