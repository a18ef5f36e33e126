// Writes of blocks: past the cache where the whole output would not stay in it.
#pragma once

#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "block.h"

namespace culoss::cpu {

// Bytes of an output from which on it goes past the cache.
constexpr int64_t kMostCached = 8 << 20;

#if defined(__AVX__)
using Line = __m256i;
inline void stream_line(void* to, const void* from) {
  _mm256_stream_si256(static_cast<Line*>(to), _mm256_loadu_si256(static_cast<const Line*>(from)));
}
#elif defined(__SSE2__)
using Line = __m128i;
inline void stream_line(void* to, const void* from) {
  _mm_stream_si128(static_cast<Line*>(to), _mm_loadu_si128(static_cast<const Line*>(from)));
}
#endif

// Copies to memory that nobody reads soon. The order of such writes among threads is seen to by
// `finish_streaming`.
inline void stream(void* to, const void* from, size_t bytes) {
#ifdef __SSE2__
  auto* target = static_cast<char*>(to);
  auto* source = static_cast<const char*>(from);
  const size_t head = -reinterpret_cast<uintptr_t>(target) % sizeof(Line);
  if (bytes >= head + sizeof(Line)) {
    memcpy(target, source, head);
    size_t at = head;
    for (; at + sizeof(Line) <= bytes; at += sizeof(Line)) stream_line(target + at, source + at);
    memcpy(target + at, source + at, bytes - at);
    return;
  }
#endif
  memcpy(to, from, bytes);
}
inline void finish_streaming() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

// The gradient of a call.
template <class T>
class Gradient {
  using A = Compute<T>;

 public:
  Gradient(T* memory, int64_t elements)
      : memory_(memory), streams_(elements * int64_t(sizeof(T)) >= kMostCached) {}

  bool is_wanted() const { return memory_ != nullptr; }

  // Rounds `n` slopes of a block, for the elements from `at` on.
  void write(int64_t at, const A* slopes, int n) const {
    if constexpr (std::is_same_v<T, A>) {
      put(at, slopes, n);
    } else {
      alignas(64) T rounded[kBlock];
      narrow(slopes, n, rounded);
      put(at, rounded, n);
    }
  }
  void finish() const {
    if (streams_) finish_streaming();
  }

 private:
  void put(int64_t at, const T* values, int n) const {
    streams_ ? stream(memory_ + at, values, size_t(n) * sizeof(T)) : copy(memory_ + at, values, n);
  }

  T* memory_;
  bool streams_;
};

}  // namespace culoss::cpu
