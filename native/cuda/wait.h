// Waits for a device beside the thread that enqueued its work.
#pragma once

#include <atomic>
#include <exception>
#include <span>
#include <vector>

#include "../core/task.h"
#include "report.h"
#include "settle.h"

namespace culoss::cuda {

// For what streams have been given so far. What their launches left in words is this task's to
// tell: it is moved on the device, in the order of each stream, and is not there for the next wait.
class Wait final : public Task, public std::enable_shared_from_this<Wait> {
 public:
  Wait(const Device& device, std::span<const Unread> unread);
  // The same without what is left in words.
  Wait(const Device& device, std::span<const Stream* const> streams);

  // Copies memory that nobody writes any more to the host, too, when the streams are there.
  void copy_then(std::shared_ptr<const Memory> from, void* to);

  void begin(std::function<void()> over) override;
  bool stop() override;
  void end() override;

  // What follows is for the thread that waits.
  enum class Progress { none, some, all };
  Progress advance() noexcept;
  const std::function<void()>& over() const { return over_; }

 private:
  Progress go_on();

  const Device& device_;
  std::vector<Report> reports_;  // one for each stream, written when it is there
  std::shared_ptr<const Memory> from_;
  char* to_ = nullptr;
  size_t copied_ = 0;  // bytes
  std::exception_ptr failure_;
  std::atomic<bool> stop_{false};
  std::function<void()> over_;
};

}  // namespace culoss::cuda
