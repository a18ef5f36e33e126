#include "rows.h"

#include <atomic>

#include "block.h"
#include "reduce.h"

namespace culoss::cpu {
namespace {

// Sums that do not wait for one another.
double sum_of(const float* numbers, int64_t n) {
  constexpr int kSums = 8;
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int k = 0; k < kSums; ++k) sums[k] += double(numbers[i + k]);
  }
  for (; i < n; ++i) sums[0] += double(numbers[i]);
  double sum = 0;
  for (const double each : sums) sum += each;
  return sum;
}

// Where the one 1 of a row is, if the rest is 0; else −1. All is as wide as a float, so that
// vectors hold it.
template <class T>
int32_t one_of(const T* row, int32_t columns) {
  uint32_t ones = 0, zeros = 0, places_of_ones = 0;
  for (int64_t first = 0; first < columns && ones + zeros == first; first += kBlock) {
    const int64_t last = std::min<int64_t>(columns, first + kBlock);
    for (auto c = int32_t(first); c < int32_t(last); ++c) {
      const bool is_one = as<Compute<T>>(row[c]) == 1;
      ones += is_one;
      zeros += as<Compute<T>>(row[c]) == 0;
      places_of_ones += is_one ? uint32_t(c) : 0;
    }
  }
  return ones == 1 && zeros == uint32_t(columns) - 1 ? int32_t(places_of_ones) : -1;
}

}  // namespace

void means_of_rows(const float* numbers, int64_t rows, int64_t columns, float* means) {
  for_each_chunk(rows, rows_per_chunk(columns), columns, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      means[r] = float(sum_of(numbers + r * columns, columns) / double(columns));
    }
  });
}

template <class T>
bool are_one_hot(const T* numbers, int64_t rows, int64_t columns, int32_t* ids) {
  if (columns > INT32_MAX) return false;
  std::atomic<bool> are_all = true;
  for_each_chunk(rows, rows_per_chunk(columns), columns, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end && are_all; ++r) {
      ids[r] = one_of(numbers + r * columns, int32_t(columns));
      if (ids[r] < 0) are_all = false;
    }
  });
  return are_all;
}

template bool are_one_hot(const float*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const double*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const float16*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const bfloat16*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const int32_t*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const int64_t*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const uint8_t*, int64_t, int64_t, int32_t*);

}  // namespace culoss::cpu
