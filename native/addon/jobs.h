// Tasks that are under way beside the thread of their environment.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <unordered_set>

#include "../core/task.h"

namespace culoss {

class Jobs : public std::enable_shared_from_this<Jobs> {
 public:
  explicit Jobs(Napi::Env env);
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  static Jobs& of(Napi::Env env);
  // Whether the environment goes on.
  bool is_open() const { return !has_ended_; }

  // Begins a task, and calls `done(error)` in the environment when it is over, with undefined if it
  // threw nothing. Keeps `held` alive meanwhile. What is returned ends it early: `done` is called
  // then, too, and what the task has given by then is of no use.
  std::function<void()> start(std::shared_ptr<Task> task, Napi::Function done,
                              Napi::Object held = {});

 private:
  struct Job;
  struct UnderWay;

  static void finish(napi_env env, napi_value, void* jobs, void* job);
  static void end(void* jobs);
  void finish(const std::shared_ptr<Job>& job);
  void forget(const std::shared_ptr<Job>& job);

  const napi_env env_;
  napi_threadsafe_function finish_ = nullptr;
  std::unordered_set<std::shared_ptr<Job>> jobs_;
  const std::shared_ptr<UnderWay> under_way_;
  bool has_ended_ = false;
};

}  // namespace culoss
