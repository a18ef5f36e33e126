// Threads that share the chunks of a call.
#pragma once

#include <stdint.h>

#include <atomic>
#include <type_traits>

namespace culoss::cpu {

extern "C" int culoss_threads();
inline int threads() { return culoss_threads(); }
void set_threads(int count);
// Lowers the number that holds where none was set.
void limit_threads(int count);

// While it lives, calls by the thread that made it leave one of the threads to others, and wait
// until the rest are free. Once `stop` is set they do no more chunks: what they give is of no use.
class InBackground {
 public:
  explicit InBackground(const std::atomic<bool>& stop);
  ~InBackground();
  InBackground(const InBackground&) = delete;
  InBackground& operator=(const InBackground&) = delete;
};

// Calls `f(context, i)` once for each i in [0, count), on up to `threads()` threads and up to
// `most`, and waits for them. `f` must not throw. A call that finds the threads busy runs on its
// own thread alone, unless it is in the background.
extern "C" void culoss_parallel_for(int64_t count, int64_t most, void (*f)(void*, int64_t),
                                    void* context);

// The same of `f(i)`.
template <class F>
void parallel_for(int64_t count, int64_t most, F&& f) {
  using Function = std::remove_reference_t<F>;
  culoss_parallel_for(
      count, most, [](void* context, int64_t i) { (*static_cast<Function*>(context))(i); }, &f);
}

}  // namespace culoss::cpu
