#include "targets.h"

#include <atomic>

#include "../core/target_range.h"
#include "../losses/dispatch.h"
#include "reduce.h"

namespace culoss::cpu {

void check_class_ids(const Call& call) {
  const ClassIds ids{call.targets, call.layout.columns, call.criterion.ignored};
  const int64_t rows = call.layout.rows();
  std::atomic<int64_t> first{rows};
  for_each_chunk(rows, kChunk, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (ids.id(row) != ClassIds::kNone) continue;
      for (int64_t seen = first; row < seen && !first.compare_exchange_weak(seen, row);) {
      }
      return;
    }
  });
  const int64_t row = first;
  if (row == rows) return;
  throw target_range_error(row, given_id(call.targets, row), call.layout.columns);
}

double divisor_of(const Call& call) {
  if (const auto known = call.known_divisor()) return *known;
  if (call.criterion.normalizer == Normalizer::given) return load<double>(call.divisor.array, 0);
  double sum = 0;
  with_normalization(call, [&](const auto& normalization) {
    const int64_t chunk =
        normalization.is_over_targets() ? kChunk : rows_per_chunk(normalization.target.width());
    sum = sum_over_chunks(normalization.items(), chunk, [&](int64_t begin, int64_t end) {
      double partial = 0;
      for (int64_t item = begin; item < end; ++item) partial += normalization(item);
      return partial;
    });
  });
  return std::max(sum, call.least_divisor());
}

}  // namespace culoss::cpu
