// Reads and writes of 16 bytes wherever memory allows, from and to any address.
#pragma once

#include <cuda_runtime.h>

#include <array>
#include <bit>
#include <limits>

#include "../core/dtype.h"
#include "../core/views.h"
#include "../losses/term.h"
#include "division.cuh"

namespace culoss::cuda {

// A pack of whatever type, in as many registers as it takes. Memory is read and written as this,
// and written by an intrinsic: otherwise the compiler moves the members one by one.
using RawPack = uint4;

// A run of memory cut into packs that lie on multiples of 16 bytes. The first and the last may
// stick out of it; nothing outside is touched.
template <class T>
struct Run {
  static constexpr int kPack = kPackElements<T>;

  const T* begin;
  int64_t size;
  int shift;  // elements by which the first pack begins before the run

  __device__ static Run of(const T* begin, int64_t size) {
    return {begin, size, int(reinterpret_cast<uintptr_t>(begin) % kPackBytes / sizeof(T))};
  }

  __device__ int64_t packs() const { return (size + shift + kPack - 1) / kPack; }
  // Where a pack begins; of the first one, this may be below 0.
  __device__ int64_t start(int64_t pack) const { return pack * kPack - shift; }
  __device__ bool holds(int64_t at) const { return at >= 0 && at < size; }
  __device__ bool is_whole(int64_t at) const { return at >= 0 && at + kPack <= size; }

  // The packs [from, to) of it.
  __device__ Run part(int64_t from, int64_t to) const {
    const int64_t first = from == 0 ? 0 : start(from) < size ? start(from) : size;
    const int64_t end = start(to) < size ? start(to) : size;
    return {begin + first, end - first, from == 0 ? shift : 0};
  }

  // The whole pack that begins at `at`, as it is in memory.
  __device__ RawPack raw(int64_t at) const { return *reinterpret_cast<const RawPack*>(begin + at); }

  // The pack that begins at `at`, with `outside` where it sticks out.
  __device__ RawPack load(int64_t at, T outside) const {
    if (is_whole(at)) return raw(at);
    Pack<T> pack;
#pragma unroll
    for (int e = 0; e < kPack; ++e) pack.of[e] = holds(at + e) ? begin[at + e] : outside;
    return std::bit_cast<RawPack>(pack);
  }

  // Writes what of a pack is inside to the run at `to`, which has the size of this one.
  template <class V>
  __device__ void store(V* to, int64_t at, const Pack<V, kPack>& pack) const {
    using Packed = Pack<V, kPack>;
    if (is_whole(at) && reinterpret_cast<uintptr_t>(to + at) % alignof(Packed) == 0) {
      constexpr int kRawPacks = sizeof pack / sizeof(RawPack);
      const auto raw = std::bit_cast<std::array<RawPack, kRawPacks>>(pack);
#pragma unroll
      for (int i = 0; i < kRawPacks; ++i) __stcs(reinterpret_cast<RawPack*>(to + at) + i, raw[i]);
      return;
    }
#pragma unroll
    for (int e = 0; e < kPack; ++e) {
      if (holds(at + e)) to[at + e] = pack.of[e];
    }
  }
};

// The largest finite number of a type.
template <class T>
constexpr Compute<T> kLargest = std::numeric_limits<T>::max();
template <int kExponentBits>
constexpr float kLargest<Half<kExponentBits>> = Half<kExponentBits>::kLargest;

// Rounds a pack, two halves by one instruction where none of them is beyond the range of the type,
// which `store` knows what to do with.
template <class T>
__device__ Pack<T> rounded(const Pack<Compute<T>, kPackElements<T>>& values,
                           [[maybe_unused]] bool is_in_range = false) {
  Pack<T> pack;
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(T) == 2) {
    if (!is_in_range) {
      float largest = 0;
#pragma unroll
      for (const float value : values.of) largest = fmaxf(largest, fabsf(value));
      is_in_range = largest <= T::kLargest;
    }
    if (is_in_range) {
#pragma unroll
      for (int e = 0; e < kPackElements<T>; e += 2) {
        encode_pair_on_device(values.of[e], values.of[e + 1], pack.of + e);
      }
      return pack;
    }
  }
#endif
#pragma unroll
  for (int e = 0; e < kPackElements<T>; ++e) pack.of[e] = store<T>(values.of[e]);
  return pack;
}

// Where losses and gradients go that elements have of their own. The divisor is read again where it
// is needed: it need not stay in a register.
template <class T>
struct Outputs {
  using A = Compute<T>;

  A* losses;  // or null
  T* grad;    // or null
  const DivisionSource& source;

  __device__ void write(const Run<T>& run, int64_t at, const Pack<A, kPackElements<T>>& values,
                        const Pack<A, kPackElements<T>>& slopes) const {
    if (losses) {
      const Division division = source.read();
      Pack<A, kPackElements<T>> divided;
#pragma unroll
      for (int e = 0; e < kPackElements<T>; ++e) divided.of[e] = A(division.of(values.of[e]));
      run.store(losses, at, divided);
    }
    if (grad) run.store(grad, at, rounded<T>(slopes));
  }
  // Writes the loss and the slope that `f(x, label, place)` has for each element of a whole pack,
  // which is of one row.
  template <class Targets, class F>
  __device__ void write_whole(const Run<T>& run, int64_t at, const Pack<T>& inputs,
                              const Targets& targets, const Place& first, F&& f) const {
    constexpr int kPack = kPackElements<T>;
    Label<A> labels[kPack];
    targets.labels(first, labels);
    Pack<A, kPack> losses, slopes;
#pragma unroll
    for (int e = 0; e < kPack; ++e) {
      const Place place{first.row, first.column + e, first.offset + e};
      const Dual<A> loss = f(load(inputs.of[e]), labels[e], place);
      losses.of[e] = loss.value;
      slopes.of[e] = loss.slope;
    }
    write(run, at, losses, slopes);
  }
  __device__ void write(int64_t at, const Dual<A>& loss) const {
    if (losses) losses[at] = A(source.read().of(loss.value));
    if (grad) grad[at] = store<T>(loss.slope);
  }
};

}  // namespace culoss::cuda
