// The device memory that the objects of one environment hold. Node runs finalisers when its event
// loop comes round, from which a loop of `await`s keeps it: before more is allocated, memory of
// objects that the collector has taken is found here, and freed.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <unordered_set>

namespace culoss {

class DeviceMemory;

class Registry {
 public:
  // That of an environment; held by each object, so that it outlives the last one.
  static std::shared_ptr<Registry> of(Napi::Env env);

  void add(DeviceMemory* memory);
  void remove(DeviceMemory* memory);

  // Frees what the collector has taken, if half of what there is was added since the last time.
  void sweep_if_due();
  // Whether that freed anything.
  bool sweep();

  // Counts what nobody disposed.
  void count_leak(int device) { ++leaks_[device]; }
  int64_t leaks(int device) const;

 private:
  std::unordered_set<DeviceMemory*> held_;
  size_t held_bytes_ = 0;
  size_t added_ = 0;  // since the last sweep
  size_t added_bytes_ = 0;
  std::map<int, int64_t> leaks_;
};

}  // namespace culoss
