// A sum in two stages that repeats bit for bit.
#pragma once

#include <algorithm>

#include "threads.h"

namespace culoss::cpu {

// Elements a thread takes at a time. It fixes the order of the sums, so it must not depend on the
// number of threads.
constexpr int64_t kChunk = 16384;

// Elements that are worth another thread: it takes some microseconds to wake up.
constexpr int64_t kLeastShare = 2 * kChunk;

inline int64_t chunks_of(int64_t count, int64_t chunk) { return (count + chunk - 1) / chunk; }

// Calls `f(i, begin, end)` for the i-th of the consecutive chunks of [0, count), of which each item
// has so many elements; on all threads, if there is enough for them.
template <class F>
void for_each_chunk(int64_t count, int64_t chunk, int64_t elements, F&& f) {
  const int64_t most = std::max<int64_t>(1, count * elements / kLeastShare);
  parallel_for(chunks_of(count, chunk), most,
               [&](int64_t i) { f(i, i * chunk, std::min(count, (i + 1) * chunk)); });
}

// What threads find of chunks. Not a `unique_ptr`, whose functions the linker would take from one
// instruction set for all.
template <class T>
class Partials {
 public:
  explicit Partials(int64_t count) : of_(new T[size_t(count)]()) {}
  Partials(const Partials&) = delete;
  Partials& operator=(const Partials&) = delete;
  ~Partials() { delete[] of_; }

  T& operator[](int64_t i) { return of_[i]; }

 private:
  T* of_;
};

// Chunks that follow each other, which a thread takes at once where there are very many. `elements`
// are those of one.
inline int64_t chunks_at_once(int64_t chunks, int64_t elements) {
  constexpr int64_t kLeastShares = 16;  // for each thread, so that all end together
  const int64_t most = 64 * kChunk / std::max<int64_t>(1, elements);
  return std::max<int64_t>(1, std::min(most, chunks / (kLeastShares * threads())));
}

// Adds what `make()(begin, end)` returns of consecutive chunks of [0, count), in the order of the
// chunks: the same bits for any number of threads. What was made is called for several of them.
template <class Make>
double sum_over_chunks(int64_t count, int64_t chunk, int64_t elements, Make&& make) {
  const int64_t chunks = chunks_of(count, chunk);
  if (chunks == 1) return make()(int64_t(0), count);
  Partials<double> partials(chunks);
  for_each_chunk(chunks, chunks_at_once(chunks, chunk * elements), chunk * elements,
                 [&](int64_t, int64_t first, int64_t last) {
                   auto&& partial = make();
                   for (int64_t i = first; i < last; ++i) {
                     partials[i] = partial(i * chunk, std::min(count, (i + 1) * chunk));
                   }
                 });
  double sum = 0;
  for (int64_t i = 0; i < chunks; ++i) sum += partials[i];
  return sum;
}

// As many rows as make a chunk.
inline int64_t rows_per_chunk(int64_t columns) {
  return std::max<int64_t>(1, kChunk / std::max<int64_t>(1, columns));
}

}  // namespace culoss::cpu
