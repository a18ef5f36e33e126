#include "registry.h"

#include <algorithm>
#include <vector>

#include "environment.h"
#include "memory.h"

namespace culoss {
namespace {

// So much is never worth a sweep.
constexpr size_t kFew = 256;
constexpr size_t kFewBytes = 64 << 20;

}  // namespace

std::shared_ptr<Registry> Registry::of(Napi::Env env) { return Environment::of(env).registry; }

void Registry::add(DeviceMemory* memory) {
  held_.insert(memory);
  held_bytes_ += memory->size();
  ++added_;
  added_bytes_ += memory->size();
}

void Registry::remove(DeviceMemory* memory) {
  if (held_.erase(memory) > 0) held_bytes_ -= memory->size();
}

void Registry::sweep_if_due() {
  if (added_ >= std::max(kFew, held_.size() / 2) ||
      added_bytes_ >= std::max(kFewBytes, held_bytes_ / 2)) {
    sweep();
  }
}

bool Registry::sweep() {
  added_ = added_bytes_ = 0;
  std::vector<DeviceMemory*> collected;
  for (DeviceMemory* memory : held_) {
    const Napi::HandleScope scope(memory->Env());
    if (memory->Value().IsEmpty()) collected.push_back(memory);
  }
  for (DeviceMemory* memory : collected) memory->free_collected();
  return !collected.empty();
}

int64_t Registry::leaks(int device) const {
  const auto found = leaks_.find(device);
  return found == leaks_.end() ? 0 : found->second;
}

}  // namespace culoss
