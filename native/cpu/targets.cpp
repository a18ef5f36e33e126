#include "targets.h"

#include <atomic>

#include "../core/target_range.h"
#include "../losses/dispatch.h"
#include "operands.h"
#include "reduce.h"
#include "rows.h"

namespace culoss::cpu {

void check_class_ids(const Call& call) {
  const ClassIds ids{call.targets, call.layout.columns, call.criterion.ignored};
  const int64_t rows = call.layout.rows();
  std::atomic<int64_t> first{rows};
  for_each_chunk(rows, kChunk, 1, [&](int64_t, int64_t begin, int64_t end) {
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

namespace {

// Whether class ids would say the same as dense targets each row of which is one class, and save
// work: they do not where a row has several losses, as for the binary ones, by smoothing, or where
// each is asked for. What is ignored is said in another way, and rows have to be whole in memory.
bool may_have_class_ids(const Call& call) {
  const Criterion& criterion = call.criterion;
  return call.target_kind == TargetKind::dense && criterion.sides == SidesKind::targets &&
         criterion.label_smoothing == 0 && criterion.reduction != Reduction::matrix &&
         !criterion.ignored.any && call.layout.inner == 1 && call.layout.columns > 1;
}

}  // namespace

Call with_class_ids(const Call& given, std::vector<int32_t>& ids) {
  if (!may_have_class_ids(given)) return given;
  const int64_t rows = given.layout.rows(), columns = given.layout.columns;
  Call call = given;
  with_elements(given.targets, [&](const auto* elements) {
    int32_t first_id;
    if (rows == 0 || !are_one_hot(elements, 1, columns, &first_id)) return;
    ids.resize(size_t(rows));
    if (!are_one_hot(elements, rows, columns, ids.data())) return;
    call.target_kind = TargetKind::class_ids;
    call.targets = {ids.data(), Dtype::int32};
  });
  return call;
}

namespace {

// Of targets that are looked at by themselves, block by block.
double sum_of_dense(const Normalization<Dense>& normalization, int64_t begin, int64_t end) {
  Block<double> targets, counts;
  double sum = 0;
  for (int64_t at = begin; at < end; at += kBlock) {
    const int n = int(std::min<int64_t>(kBlock, end - at));
    const Stretch stretch{{0, 0, at}, n, Along::columns};
    load_targets(normalization.target, stretch, targets.of, counts.of);
    for (int i = 0; i < n; ++i) {
      targets.of[i] = normalization.of_label({targets.of[i], counts.of[i] != 0}, {});
    }
    sum += sum_of(targets, n);
  }
  return sum;
}

}  // namespace

double divisor_of(const Call& call) {
  if (const auto known = call.known_divisor()) return *known;
  if (call.criterion.normalizer == Normalizer::given) return load<double>(call.divisor.array, 0);
  double sum = 0;
  with_normalization(call, [&](const auto& normalization) {
    const int64_t width = normalization.is_over_targets() ? 1 : normalization.target.width();
    const auto partial = [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(normalization.target)>, Dense>) {
        if (normalization.is_anywhere()) return sum_of_dense(normalization, begin, end);
      }
      double sum_of_items = 0;
      for (int64_t item = begin; item < end; ++item) sum_of_items += normalization(item);
      return sum_of_items;
    };
    sum = sum_over_chunks(
        normalization.items(), rows_per_chunk(width), width, [&]() -> auto& { return partial; });
  });
  return std::max(sum, call.least_divisor());
}

}  // namespace culoss::cpu
