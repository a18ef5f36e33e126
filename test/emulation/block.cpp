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

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[kStack]};
  bool is_done = false;
};

// Stacks are kept from launch to launch.
std::vector<std::unique_ptr<Fiber>> fibers;
ucontext_t scheduler;
Fiber* current = nullptr;
const std::function<void()>* kernel = nullptr;

int brought_so_far = 0;    // to the barrier that is being met
int brought_together = 0;  // to the last one

// The sanitizer is told about every change of stacks.
struct Stack {
  void* fake = nullptr;
  const void* bottom = nullptr;
  size_t size = 0;
};
Stack scheduler_stack;

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

void fiber_main() {
  finish_switch(nullptr, &scheduler_stack.bottom, &scheduler_stack.size);
  (*kernel)();
  current->is_done = true;
  start_switch(nullptr, scheduler_stack.bottom, scheduler_stack.size);
  setcontext(&scheduler);
}

void prepare(Fiber& fiber) {
  fiber.is_done = false;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStack;
  fiber.context.uc_link = &scheduler;
  makecontext(&fiber.context, fiber_main, 0);
}

void resume(Fiber& fiber) {
  current = &fiber;
  start_switch(&scheduler_stack.fake, fiber.stack.get(), kStack);
  swapcontext(&scheduler, &fiber.context);
  finish_switch(scheduler_stack.fake, nullptr, nullptr);
  current = nullptr;
}

}  // namespace

int meet(int brought) {
  brought_so_far += brought;
  Fiber& self = *current;
  void* fake = nullptr;
  start_switch(&fake, scheduler_stack.bottom, scheduler_stack.size);
  swapcontext(&self.context, &scheduler);
  finish_switch(fake, &scheduler_stack.bottom, &scheduler_stack.size);
  return brought_together;
}

bool run_block(const std::function<void()>& body, std::mt19937* shuffle, bool reverse) {
  const int threads = int(blockDim.x);
  while (int(fibers.size()) < threads) fibers.push_back(std::make_unique<Fiber>());
  kernel = &body;
  brought_so_far = brought_together = 0;
  std::vector<int> order(threads);
  std::iota(order.begin(), order.end(), 0);
  if (reverse) std::reverse(order.begin(), order.end());
  for (int i = 0; i < threads; ++i) prepare(*fibers[i]);
  for (;;) {
    if (shuffle) std::shuffle(order.begin(), order.end(), *shuffle);
    for (const int i : order) {
      threadIdx = unsigned(i);
      resume(*fibers[i]);
    }
    const auto count = [&](auto of) {
      return std::count_if(fibers.begin(), fibers.begin() + threads,
                           [&](const auto& fiber) { return of(*fiber); });
    };
    const auto done = count([](const Fiber& fiber) { return fiber.is_done; });
    if (done == threads) return true;
    if (done != 0) {
      fprintf(stderr, "culoss emulation: %d threads ended, %d wait at a barrier\n", int(done),
              int(threads - done));
      return false;
    }
    brought_together = brought_so_far;
    brought_so_far = 0;
  }
}

}  // namespace emulation
