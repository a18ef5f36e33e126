#include "targets.h"

#include <atomic>

#include "../core/target_range.h"
#include "reduce.h"

namespace culoss::cpu {

void check_class_ids(const Call& call) {
  const ClassIds ids{call.targets, call.columns};
  std::atomic<int64_t> first{call.rows};
  for_each_chunk(call.rows, kChunk, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (ids.id(row) != ClassIds::kNone) continue;
      for (int64_t seen = first; row < seen && !first.compare_exchange_weak(seen, row);) {
      }
      return;
    }
  });
  const int64_t row = first;
  if (row == call.rows) return;
  throw target_range_error(row, given_id(call.targets, row), call.columns);
}

double sum_of_targets(const Call& call) {
  return sum_over_chunks(call.rows * call.columns, kChunk, [&](int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += load<double>(call.targets, i);
    return sum;
  });
}

}  // namespace culoss::cpu
