// Where a team keeps the packs of its run between the passes over them.
#pragma once

#include "packs.cuh"

namespace culoss::cuda {

// `fill` reads the run and calls `f(pack)` for each pack on the way, with `outside` where it sticks
// out; `each` calls `f(pack, at)` for each of them again. A thread meets its own packs only.

// In registers: runs of up to `kPacks` packs a thread.
template <class T, int kPacks>
struct Registers {
  RawPack held[kPacks];

  template <class Team, class F>
  __device__ void fill(const Run<T>& run, T outside, F&& f) {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int64_t at = run.start(p * Team::kSize + Team::rank());
      if (at < run.size) held[p] = run.load(at, outside);
    }
    each<Team>(run, [&](const Pack<T>& pack, int64_t) { f(pack); });
  }

  template <class Team, class F>
  __device__ void each(const Run<T>& run, F&& f) const {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int64_t at = run.start(p * Team::kSize + Team::rank());
      if (at < run.size) f(std::bit_cast<Pack<T>>(held[p]), at);
    }
  }
};

extern __shared__ RawPack dynamic_shared_memory[];  // as many as the launch asks for

// In shared memory, which the launch must give for all packs of the run.
template <class T>
struct Shared {
  static constexpr int kInFlight = 4;

  template <class Team, class F>
  __device__ void fill(const Run<T>& run, T outside, F&& f) {
    const int packs = int(run.packs());
    for (int i = Team::rank(); i < packs; i += kInFlight * Team::kSize) {
      RawPack packs_in_flight[kInFlight];
#pragma unroll
      for (int p = 0; p < kInFlight; ++p) {
        const int64_t at = run.start(i + p * Team::kSize);
        if (at < run.size) packs_in_flight[p] = run.load(at, outside);
      }
#pragma unroll
      for (int p = 0; p < kInFlight; ++p) {
        if (i + p * Team::kSize >= packs) break;
        f(std::bit_cast<Pack<T>>(packs_in_flight[p]));
        dynamic_shared_memory[i + p * Team::kSize] = packs_in_flight[p];
      }
    }
  }

  template <class Team, class F>
  __device__ void each(const Run<T>& run, F&& f) const {
    const int packs = int(run.packs());
    for (int i = Team::rank(); i < packs; i += Team::kSize) {
      f(std::bit_cast<Pack<T>>(dynamic_shared_memory[i]), run.start(i));
    }
  }
};

// Nowhere: read again, for rows of which one pass is enough.
template <class T>
struct Nowhere {
  template <class Team, class F>
  __device__ void each(const Run<T>& run, F&& f) const {
    const int64_t packs = run.packs();
    for (int64_t i = Team::rank(); i < packs; i += Team::kSize) {
      f(std::bit_cast<Pack<T>>(run.load(run.start(i), T{})), run.start(i));
    }
  }
};

}  // namespace culoss::cuda
