#include "block.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "run.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulation {
namespace {

constexpr size_t kStack = 128 * 1024;

enum class State { ready, at_block_barrier, at_lane_barrier, done };

// Where something goes on.
struct Place {
  void* words[5];
};

struct Fiber {
  Place place;
  std::unique_ptr<char[]> stack{new char[kStack]};
  bool is_started = false;
  State state;
  unsigned lanes;  // of the barrier it waits at
};

// They are kept from launch to launch.
thread_local std::vector<std::unique_ptr<Fiber>> fibers;
thread_local std::vector<unsigned char> rooms;
thread_local Place scheduler;
thread_local Fiber* current = nullptr;
thread_local const std::function<void()>* kernel = nullptr;

thread_local int brought_so_far = 0;    // to the barrier that is being met
thread_local int brought_together = 0;  // to the last one

// The sanitizer is told about every change of stacks.
struct Stack {
  void* fake = nullptr;
  const void* bottom = nullptr;
  size_t size = 0;
};
thread_local Stack scheduler_stack;

void start_switch([[maybe_unused]] void** fake, [[maybe_unused]] const void* bottom,
                  [[maybe_unused]] size_t size) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(fake, bottom, size);
#endif
}
void finish_switch([[maybe_unused]] void* fake, [[maybe_unused]] const void** bottom,
                   [[maybe_unused]] size_t* size) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, bottom, size);
#endif
}

// Goes on elsewhere. Not by `swapcontext`, which asks the kernel for signal masks each time.
[[noreturn, gnu::noinline, gnu::noipa, gnu::no_sanitize("address")]] void jump(Place& to) {
  __builtin_longjmp(to.words, 1);
}
[[gnu::noinline, gnu::no_sanitize("address")]] void jump(Place& from, Place& to) {
  if (__builtin_setjmp(from.words) == 0) jump(to);
}
[[gnu::noinline, gnu::no_sanitize("address")]] void jump_to_new(Place& from, char* stack,
                                                                void (*begin)()) {
  if (__builtin_setjmp(from.words) != 0) return;
  ucontext_t context;
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = kStack;
  makecontext(&context, begin, 0);
  setcontext(&context);
}

// Back to the scheduler, until it lets this thread go on.
void wait(State state) {
  Fiber& self = *current;
  self.state = state;
  void* fake = nullptr;
  start_switch(&fake, scheduler_stack.bottom, scheduler_stack.size);
  jump(self.place, scheduler);
  finish_switch(fake, &scheduler_stack.bottom, &scheduler_stack.size);
}

// A thread of one block after the other.
void fiber_main() {
  finish_switch(nullptr, &scheduler_stack.bottom, &scheduler_stack.size);
  for (;;) {
    (*kernel)();
    wait(State::done);
  }
}

void resume(Fiber& fiber) {
  current = &fiber;
  start_switch(&scheduler_stack.fake, fiber.stack.get(), kStack);
  if (fiber.is_started) {
    jump(scheduler, fiber.place);
  } else {
    fiber.is_started = true;
    jump_to_new(scheduler, fiber.stack.get(), fiber_main);
  }
  finish_switch(scheduler_stack.fake, nullptr, nullptr);
  current = nullptr;
}

int count(int threads, State state) {
  return int(std::count_if(fibers.begin(), fibers.begin() + threads,
                           [&](const auto& fiber) { return fiber->state == state; }));
}

// Lets those go on who all wait at the same barrier of lanes; false if there are none.
bool release_lanes(int threads) {
  bool any = false;
  for (int i = 0; i < threads; ++i) {
    const int warp = i / 32 * 32;
    const unsigned lanes = fibers[i]->lanes;
    const auto of_lanes = [&](auto f) {
      for (int lane = 0; lane < 32 && warp + lane < threads; ++lane) {
        if (lanes >> lane & 1) f(*fibers[warp + lane]);
      }
    };
    if (fibers[i]->state != State::at_lane_barrier) continue;
    bool are_there = true;
    of_lanes([&](const Fiber& fiber) {
      are_there &= fiber.state == State::at_lane_barrier && fiber.lanes == lanes;
    });
    if (!are_there) continue;
    of_lanes([](Fiber& fiber) { fiber.state = State::ready; });
    any = true;
  }
  return any;
}

}  // namespace

int meet(int brought) {
  brought_so_far += brought;
  wait(State::at_block_barrier);
  return brought_together;
}

void meet_lanes(unsigned lanes) {
  current->lanes = lanes;
  wait(State::at_lane_barrier);
}

unsigned char* room_of(unsigned thread) { return rooms.data() + thread * kRoom; }

bool run_block(const std::function<void()>& body, std::mt19937* shuffle, bool reverse) {
  const int threads = int(blockDim.x);
  while (int(fibers.size()) < threads) fibers.push_back(std::make_unique<Fiber>());
  rooms.resize(threads * kRoom);
  kernel = &body;
  brought_so_far = brought_together = 0;
  std::vector<int> order(threads);
  std::iota(order.begin(), order.end(), 0);
  if (reverse) std::reverse(order.begin(), order.end());
  for (int i = 0; i < threads; ++i) fibers[i]->state = State::ready;
  for (;;) {
    if (shuffle) std::shuffle(order.begin(), order.end(), *shuffle);
    for (const int i : order) {
      if (fibers[i]->state != State::ready) continue;
      threadIdx = unsigned(i);
      resume(*fibers[i]);
    }
    if (release_lanes(threads)) continue;
    const int done = count(threads, State::done);
    if (done == threads) return true;
    if (count(threads, State::at_block_barrier) != threads) {
      fprintf(stderr, "culoss emulation: %d threads ended, %d wait at a barrier\n", done,
              threads - done);
      fibers.clear();  // in the middle of it
      return false;
    }
    for (int i = 0; i < threads; ++i) fibers[i]->state = State::ready;
    brought_together = brought_so_far;
    brought_so_far = 0;
  }
}

}  // namespace emulation
