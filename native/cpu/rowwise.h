// The categorical losses, row by row: a row is read from memory once, and stays in a cache for the
// passes in between.
#pragma once

#include <string.h>

#include <algorithm>

#include "../core/whole_row.h"
#include "../losses/rowwise.h"
#include "output.h"

namespace culoss::cpu {

template <class Work>
class RowwiseLoop {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;

 public:
  RowwiseLoop(const Work& work, const Division& division)
      : work_(work), division_(division), grad_(work.grad, work.layout.elements()) {}

  // The sum of the losses of the rows [begin, end).
  double run(int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t r = begin; r < end; ++r) {
      const RowLayout row = work_.layout.row(r);
      sum += row.step == 1 ? neighbours(row) : whole_row(work_, row, division_);
    }
    grad_.finish();
    return sum;
  }

 private:
  // A row whose elements lie next to one another.
  double neighbours(const RowLayout& row) {
    if constexpr (Work::kIsSingle) {
      return of_class_id(row);
    } else {
      return whole_row(work_, row, division_, [&](auto&, auto&) { return statistics(row); });
    }
  }

  double of_class_id(const RowLayout& row) {
    const A slope_of_division = A(division_.slope());
    const auto targets = work_.target.row(row.row);
    typename Work::Statistics known{};
    typename Work::Visit visit;
    if (work_.counts(row, targets)) {
      known = statistics(row);
      const Place place = row.at(targets.column(0));
      visit = work_.visit(input_at(work_, place), targets.template label<A>(place), place, known,
                          slope_of_division);
    }
    if (work_.losses) work_.losses[row.row] = work_.row_loss(visit.sums, division_);
    if (grad_.is_wanted()) write_grad(row, targets.column(0), known, visit);
    return visit.sums.loss;
  }

  typename Work::Statistics statistics(const RowLayout& row) {
    if constexpr (Work::kIsCoupled) {
      return Work::Statistics::of(take_in(row));
    } else {
      return {};
    }
  }

  // The largest logit of a row, and what it leaves beside that.
  [[gnu::flatten]] typename Work::Part take_in(const RowLayout& row) {
    typename Work::Part part;
    V most = all<V>(part.max);
    for_each_block(row, -INFINITY, [&](int64_t, int n) {
      for_each_vector<A>(n, [&](int i) { most = larger(most, inputs_.at(i)); });
    });
    Block<A> lanes;
    lanes.at(0) = most;
    for (int l = 0; l < LanesOf<V>::kLanes; ++l) part.pass(lanes.of[l]);
    const A base = part.base();
    for_each_block(row, -INFINITY, [&](int64_t, int n) {
      V peaks{};
      for_each_vector<A>(n, [&](int i) {
        const V e = work_.link.exponential(inputs_.at(i) - base);
        const Mask<V> is_peak = e == all<V>(1);
        slopes_.at(i) = select<V>(is_peak, V{}, e);
        peaks = peaks + select<V>(is_peak, all<V>(1), V{});
      });
      lanes.at(0) = peaks;
      part.rest =
          part.rest + typename Work::Part::Rest{sum_of(slopes_.of, n),
                                                int64_t(sum_of(lanes.of, LanesOf<V>::kLanes))};
    });
    return part;
  }

  void write_grad(const RowLayout& row, int64_t target, const typename Work::Statistics& statistics,
                  const typename Work::Visit& visit) {
    const auto& [sums, slope_of_target] = visit;
    const bool has_slopes = Work::kIsCoupled && sums.has_weight;
    if (!has_slopes) memset(slopes_.of, 0, sizeof slopes_.of);
    for_each_block(row, 0, [&](int64_t first, int n) {
      if constexpr (Work::kIsCoupled) {
        if (has_slopes) slopes_beside(n, statistics, sums);
      }
      const int64_t i = target - first;
      const bool has_target = sums.has_weight && i >= 0 && i < n;
      if (has_target) slopes_.of[i] = slope_of_target;
      grad_.write(row.begin + first, slopes_.of, n);
      if (has_target && !has_slopes) slopes_.of[i] = 0;
    });
  }

  [[gnu::flatten]] void slopes_beside(int n, const typename Work::Statistics& given,
                                      const typename Work::Sums& sums) {
    const typename Work::Statistics statistics = given;  // so that it stays in registers
    for_each_vector<A>(
        n, [&](int i) { slopes_.at(i) = work_.slope_beside(inputs_.at(i), statistics, sums); });
  }

  // Calls `f(first, n)` for the blocks of a row, after their inputs were loaded.
  template <class F>
  [[gnu::always_inline]] void for_each_block(const RowLayout& row, float beyond, F&& f) {
    for (int64_t first = 0; first < work_.layout.columns; first += kBlock) {
      const int n = int(std::min<int64_t>(kBlock, work_.layout.columns - first));
      load_block(work_.inputs + row.begin + first, n, A(beyond), inputs_);
      f(first, n);
    }
  }

  const Work& work_;
  const Division& division_;
  const Gradient<T> grad_;
  Block<A> inputs_, slopes_;
};

}  // namespace culoss::cpu
