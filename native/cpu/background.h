// Work beside the threads of JavaScript, which it leaves a core: one piece after the other.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>

#include "../core/task.h"

namespace culoss::cpu {

class Job final : public Task, public std::enable_shared_from_this<Job> {
 public:
  // `work` is called on a thread of the background.
  explicit Job(std::function<void()> work) : work_(std::move(work)) {}

  void begin(std::function<void()> over) override;
  bool stop() override;
  void end() override;

  void run();

 private:
  enum class State { waiting, begun, stopped };

  const std::function<void()> work_;
  std::function<void()> over_;
  std::exception_ptr error_;
  std::atomic<State> state_{State::waiting};
  std::atomic<bool> stop_{false};
};

}  // namespace culoss::cpu
