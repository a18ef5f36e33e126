// Writes of blocks: past the cache where the whole output would not stay in it.
#pragma once

#include <string.h>

#include <utility>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "block.h"

namespace culoss::cpu {

// Bytes of an output from which on it goes past the cache.
constexpr int64_t kMostCached = 8 << 20;

constexpr size_t kLine = 64;  // of the cache

// Writes a line of the cache, past it.
inline void stream_line(char* to, const char* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(__AVX__)
  for (size_t at = 0; at < kLine; at += 32) {
    const auto* const part = reinterpret_cast<const __m256i*>(from + at);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + at), _mm256_loadu_si256(part));
  }
#elif defined(__SSE2__)
  for (size_t at = 0; at < kLine; at += 16) {
    const auto* const part = reinterpret_cast<const __m128i*>(from + at);
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + at), _mm_loadu_si128(part));
  }
#else
  memcpy(to, from, kLine);
#endif
}

// Whole lines that are to be written past the cache, in the course of something else: memory takes
// them one by one, and would keep one waiting who wrote all at once.
struct Lines {
  char* to = nullptr;
  const char* from = nullptr;
  size_t bytes = 0;

  // Writes the one at an offset, if there is one.
  void write(size_t at) const {
    if (at < bytes) stream_line(to + at, from + at);
  }
  // Writes those from an offset on.
  void write_rest(size_t at) const {
    for (; at < bytes; at += kLine) stream_line(to + at, from + at);
  }
};

// Writes to memory that nobody reads soon: in whole lines wherever one piece meets the next, since
// what is left of a line waits for that. A line that is written in two ways takes long.
class LineStream {
 public:
  // Leaves whole lines of the source to whom takes them, which has to be before the next write.
  void write(void* target, const void* source, size_t bytes) {
    char* to = static_cast<char*>(target);
    const char* from = static_cast<const char*>(source);
    if (to != next_) {
      flush();
      waits_from_ = to;
    }
    next_ = to + bytes;
    if (bytes < kLine) return write_few(to, from, bytes);
    const char* const end = from + bytes;
    if (const size_t before = begun(to)) {
      memcpy(line() + before, from, kLine);
      end_line(to - before);
      to += kLine - before;
      from += kLine - before;
    }
    lines_ = {to, from, size_t(end - from) / kLine * kLine};
    waits_from_ = to + lines_.bytes;
    memcpy(room_ + begun(next_), end - kLine, kLine);  // what is left
  }
  // The lines that wait, for the caller to write.
  Lines take() { return std::exchange(lines_, {}); }
  // Writes what waits. All is seen by other threads before what this one writes next.
  void finish() {
    take().write_rest(0);
    flush();
#ifdef __SSE2__
    _mm_sfence();
#endif
  }

 private:
  static size_t begun(const char* at) { return reinterpret_cast<uintptr_t>(at) % kLine; }
  char* line() { return room_ + kLine; }

  void write_few(char* to, const char* from, size_t bytes) {
    const size_t before = begun(to);
    memcpy(line() + before, from, bytes);
    if (before + bytes < kLine) return;
    end_line(to - before);
    memcpy(line(), line() + kLine, kLine);
    waits_from_ = to - before + kLine;
  }
  // Writes a line, or what there is of the first one.
  void end_line(char* to) {
    if (waits_from_ <= to) {
      stream_line(to, line());
    } else {
      memcpy(waits_from_, line() + (waits_from_ - to), size_t(to + kLine - waits_from_));
    }
  }
  void flush() {
    if (waits_from_ == next_) return;
    memcpy(waits_from_, line() + begun(waits_from_), size_t(next_ - waits_from_));
    waits_from_ = next_;
  }

  // The line that is not full, with room beside it: it is filled by copies of a whole line's size.
  alignas(kLine) char room_[3 * kLine];
  Lines lines_;
  char* next_ = nullptr;        // where the next piece is expected
  char* waits_from_ = nullptr;  // up to there, behind the lines
};

// The gradient of a call.
template <class T>
class Gradient {
  using A = Compute<T>;

 public:
  Gradient(T* memory, int64_t elements)
      : memory_(memory), is_large_(elements * int64_t(sizeof(T)) >= kMostCached) {}

  Gradient(const Gradient&) = delete;
  // Writes what waits.
  ~Gradient() {
    if (is_large_) lines_.finish();
  }

  bool is_wanted() const { return memory_ != nullptr; }

  // Rounds `n` slopes of a block, for the elements from `at` on.
  void write(int64_t at, const A* slopes, int n) {
    begin_write(at, slopes, n);
    lines_.take().write_rest(0);
  }
  // The same, but that whole lines may be left for the caller to take and write. Until the next
  // call here the slopes must stay.
  void begin_write(int64_t at, const A* slopes, int n) {
    lines_.take().write_rest(0);
    if constexpr (std::is_same_v<T, A>) {
      put(at, slopes, n);
    } else {
      narrow(slopes, n, rounded_);
      put(at, rounded_, n);
    }
  }
  Lines take_lines() { return lines_.take(); }

 private:
  void put(int64_t at, const T* values, int n) {
    if (is_large_) return lines_.write(memory_ + at, values, size_t(n) * sizeof(T));
    copy(memory_ + at, values, n);
  }

  T* memory_;
  bool is_large_;
  LineStream lines_;
  alignas(kLine) T rounded_[std::is_same_v<T, A> ? 1 : kBlock];
};

}  // namespace culoss::cpu
