#include "jobs.h"

#include <condition_variable>
#include <mutex>

#include "environment.h"
#include "guard.h"

namespace culoss {

struct Jobs::Job : std::enable_shared_from_this<Job> {
  // Only the environment touches these.
  std::shared_ptr<Task> task;  // null when it is over
  std::function<void()> over;  // hands it back
  Napi::ObjectReference held;
  Napi::FunctionReference done;

  void stop() const {
    if (task && task->stop()) over();
  }
};

// How many tasks have yet to be handed back. It outlives the environment that waits for it.
struct Jobs::UnderWay {
  std::mutex mutex;
  std::condition_variable none;
  int count = 0;

  void add() {
    const std::lock_guard<std::mutex> lock(mutex);
    ++count;
  }
  void remove() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (--count == 0) none.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    none.wait(lock, [&] { return count == 0; });
  }
};

Jobs::Jobs(Napi::Env env) : env_(env), under_way_(std::make_shared<UnderWay>()) {
  const Napi::String name = Napi::String::New(env, "culoss");
  const napi_status status = napi_create_threadsafe_function(
      env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, finish, &finish_);
  if (status != napi_ok) throw Error("ERR_OUT_OF_MEMORY", "the environment takes no more calls");
  napi_unref_threadsafe_function(env, finish_);  // only a job keeps a process
  napi_add_env_cleanup_hook(env, end, this);  // hooks run backwards: that of `finish_` comes later
}

Jobs& Jobs::of(Napi::Env env) {
  std::shared_ptr<Jobs>& jobs = Environment::of(env).jobs;
  if (!jobs) jobs = std::make_shared<Jobs>(env);
  return *jobs;
}

std::function<void()> Jobs::start(std::shared_ptr<Task> task, Napi::Function done,
                                  Napi::Object held) {
  const auto job = std::make_shared<Job>();
  job->over = [job, finish = finish_, under_way = under_way_] {
    // It may refuse: the environment ends.
    napi_call_threadsafe_function(finish, job.get(), napi_tsfn_nonblocking);
    under_way->remove();
  };
  job->task = std::move(task);
  if (!held.IsEmpty()) job->held = Napi::Persistent(held);
  job->done = Napi::Persistent(done);
  if (jobs_.empty()) napi_ref_threadsafe_function(env_, finish_);
  jobs_.insert(job);
  under_way_->add();
  try {
    job->task->begin(job->over);
  } catch (...) {
    under_way_->remove();
    forget(job);
    throw;
  }
  return [job] { job->stop(); };
}

void Jobs::forget(const std::shared_ptr<Job>& job) {
  job->task = nullptr;
  job->over = nullptr;
  job->held.Reset();
  job->done.Reset();
  jobs_.erase(job);
  if (jobs_.empty()) napi_unref_threadsafe_function(env_, finish_);
}

void Jobs::finish(napi_env env, napi_value, void* jobs, void* job) {
  if (env == nullptr) return;  // it ends, and has forgotten the job
  static_cast<Jobs*>(jobs)->finish(static_cast<Job*>(job)->shared_from_this());
}

void Jobs::finish(const std::shared_ptr<Job>& job) {
  const Napi::Env env(env_);
  const Napi::HandleScope scope(env);
  const Napi::Function done = job->done.Value();
  const std::shared_ptr<Task> task = job->task;
  forget(job);
  Napi::Value error = env.Undefined();
  try {
    guarded(env, [&] { task->end(); });
  } catch (const Napi::Error& thrown) {
    error = thrown.Value();
  }
  try {
    done.Call({error});
  } catch (const Napi::Error&) {
    // The environment ends: no JavaScript runs any more.
  }
}

// No job may touch memory of the environment when that is gone.
void Jobs::end(void* jobs) {
  auto& self = *static_cast<Jobs*>(jobs);
  self.has_ended_ = true;
  const auto under_way = std::exchange(self.jobs_, {});
  for (const auto& job : under_way) job->stop();
  self.under_way_->wait();
  for (const auto& job : under_way) self.forget(job);
  napi_release_threadsafe_function(self.finish_, napi_tsfn_abort);
}

}  // namespace culoss
