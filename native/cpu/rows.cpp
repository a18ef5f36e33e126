#include "rows.h"

#include <atomic>

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

// Where the one 1 of a row is, if the rest is 0; else −1.
template <class T>
int64_t one_of(const T* row, int64_t columns) {
  int32_t ones = 0, zeros = 0, at = 0;  // as wide as the columns are, so that vectors hold them
  for (int32_t c = 0; c < int32_t(columns); ++c) {
    ones += row[c] == T(1);
    zeros += row[c] == T(0);
    at += row[c] == T(1) ? c : 0;
  }
  return ones == 1 && zeros == columns - 1 ? at : -1;
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
  if (columns > UINT16_MAX) return false;  // places of many ones add up to no more than an int32
  std::atomic<bool> are_all = true;
  for_each_chunk(rows, rows_per_chunk(columns), columns, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end && are_all; ++r) {
      const int64_t id = one_of(numbers + r * columns, columns);
      if (id < 0) are_all = false;
      ids[r] = int32_t(id);
    }
  });
  return are_all;
}

template bool are_one_hot(const float*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const int32_t*, int64_t, int64_t, int32_t*);
template bool are_one_hot(const uint8_t*, int64_t, int64_t, int32_t*);

}  // namespace culoss::cpu
