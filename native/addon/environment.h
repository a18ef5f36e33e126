// What an environment, the main thread or a worker, has for itself.
#pragma once

#include <napi.h>

#include <memory>

#include "jobs.h"
#include "registry.h"

namespace culoss {

struct Environment {
  const std::shared_ptr<Registry> registry = std::make_shared<Registry>();
  std::shared_ptr<Jobs> jobs;  // once there is one

  static Environment& of(Napi::Env env) {
    if (auto* const found = env.GetInstanceData<Environment>()) return *found;
    auto* const made = new Environment;
    env.SetInstanceData(made);
    return *made;
  }
};

}  // namespace culoss
