// A sum in two stages that repeats bit for bit.
#pragma once

#include <algorithm>
#include <vector>

#include "threads.h"

namespace culoss::cpu {

// Elements a thread takes at a time. It fixes the order of the sums, so it must not depend on the
// number of threads.
constexpr int64_t kChunk = 16384;

// Calls `partial(begin, end)` for consecutive chunks of [0, count) and adds what it returns, in the
// order of the chunks: the same bits for any number of threads.
template <class F>
double sum_over_chunks(int64_t count, int64_t chunk, F&& partial) {
  if (count == 0) return 0;
  const int64_t chunks = (count + chunk - 1) / chunk;
  if (chunks == 1) return partial(int64_t(0), count);
  std::vector<double> partials(chunks);
  parallel_for(chunks, [&](int64_t i) {
    partials[i] = partial(i * chunk, std::min(count, (i + 1) * chunk));
  });
  double sum = 0;
  for (const double part : partials) sum += part;
  return sum;
}

// As many rows as make a chunk.
inline int64_t rows_per_chunk(int64_t columns) {
  return std::max<int64_t>(1, kChunk / std::max<int64_t>(1, columns));
}

}  // namespace culoss::cpu
