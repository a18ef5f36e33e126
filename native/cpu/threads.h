// Threads that share the chunks of a call.
#pragma once

#include <stdint.h>

#include <functional>

namespace culoss::cpu {

int threads();
void set_threads(int count);

// Calls `f(i)` once for each i in [0, count), on up to `threads()` threads, and waits for them.
// `f` must not throw. A call that finds the threads busy runs on its own thread alone.
void parallel_for(int64_t count, const std::function<void(int64_t)>& f);

}  // namespace culoss::cpu
