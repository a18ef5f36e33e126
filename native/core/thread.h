// Threads that are never waited for.
#pragma once

#include <pthread.h>

namespace culoss {

// Calls `serve(context)` on a thread that nobody waits for, with a stack that holds a tile of rows,
// whatever the system's default is. Returns whether there was one to be had.
inline bool start_thread(void (*serve)(void*), void* context) {
  constexpr size_t kStackBytes = 2 << 20;
  struct Start {
    void (*serve)(void*);
    void* context;
  };
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto* const start = new Start{serve, context};
  const auto run = [](void* given) -> void* {
    const Start start = *static_cast<Start*>(given);
    delete static_cast<Start*>(given);
    start.serve(start.context);
    return nullptr;
  };
  pthread_t thread;
  const bool is_started = pthread_create(&thread, &attributes, run, start) == 0;
  if (!is_started) delete start;
  pthread_attr_destroy(&attributes);
  return is_started;
}

}  // namespace culoss
