// Something that goes on beside the thread that began it.
#pragma once

#include <functional>

namespace culoss {

class Task {
 public:
  virtual ~Task() = default;

  // Calls `over` once, on any thread, when there is no more to come. Throws if it cannot begin.
  virtual void begin(std::function<void()> over) = 0;

  // Ends it early: what it has given by then is of no use. Whether `over` is not called any more.
  virtual bool stop() = 0;

  // Behind `over`, on the thread that began it: throws what it failed with.
  virtual void end() = 0;
};

}  // namespace culoss
