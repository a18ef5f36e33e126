// The categorical losses along rows. Rows go from step to step together, a tile of them, so that
// none waits for what is computed of another. They are read from memory once: a tile is held in a
// cache, and each step leaves there what the next one needs beside what can be read where it is. A
// row that is too long for that is a tile of its own, and its blocks are loaded again for each
// step, in parts which threads can share.
#pragma once

#include <algorithm>

#include "../core/whole_row.h"
#include "../losses/rowwise.h"
#include "output.h"
#include "reduce.h"
#include "weights.h"

namespace culoss::cpu {

template <class Work>
class RowsAlong {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;
  using Sums = typename Work::Sums;
  using Statistics = typename Work::Statistics;

 public:
  RowsAlong(const Work& work, const Division& division)
      : work_(work),
        division_(division),
        slope_of_division_(A(division.slope())),
        grad_(work.grad, work.layout.elements()) {}

  // The sum of the losses of all rows.
  static double run_all(const Work& work, const Division& division) {
    const Layout& layout = work.layout;
    const int64_t rows = layout.rows(), columns = layout.columns;
    if (columns >= kLeastShared && rows < 4 * threads()) {
      RowsAlong loop(work, division);
      loop.is_shared_ = true;
      return loop(0, rows);
    }
    return sum_over_chunks(rows, rows_per_chunk(columns), columns,
                           [&] { return RowsAlong(work, division); });
  }

  // The sum of the losses of the rows [begin, end).
  double operator()(int64_t begin, int64_t end) {
    double sum = 0;
    const int64_t most = is_held() ? std::min<int64_t>(kRows, kHeld / stride()) : 1;
    for (int64_t r = begin; r < end; r += most) sum += tile(r, int(std::min(most, end - r)));
    return sum;
  }

 private:
  static constexpr int kRows = 16;
  static constexpr int64_t kHeld = (128 << 10) / sizeof(A);
  // Columns from which on all threads share a row, if there are few.
  static constexpr int64_t kLeastShared = 8 * kChunk;
  static_assert(kHeld < kLeastShared && kChunk % kBlock == 0);
  // Nothing is asked of elements beside the one that has a loss.
  static constexpr bool kIsLone = Work::kIsLone;

  struct Row {
    RowLayout layout;
    typename Work::Targets targets;
    bool counts;
    int64_t held;  // where the row begins in the tile
    typename Work::Part part{};
    Statistics statistics{};
    typename Work::Visit visit{};
  };

  bool is_held() const { return stride() <= kHeld; }
  // From one held row to the next, so that all begin a vector.
  int64_t stride() const { return (work_.layout.columns + kSums - 1) / kSums * kSums; }

  double tile(int64_t first, int rows) {
    for (int r = 0; r < rows; ++r) {
      const RowLayout layout = work_.layout.row(first + r);
      const auto targets = work_.target.row(first + r);
      rows_[r] = {layout, targets, counts(layout, targets), r * stride()};
    }
    if constexpr (Work::kIsCoupled) {
      for_each_row(rows, [&](Row& row) {
        for_each_part([&](RowsAlong& loop, const Range& of) { return loop.largest(row, of); },
                      [&](A largest) { row.part.pass(largest); });
      });
      for_each_row(rows, [&](Row& row) {
        for_each_part([&](RowsAlong& loop, const Range& of) { return loop.rest(row, of); },
                      [&](const auto& rest) { row.part.rest = row.part.rest + rest; });
      });
      for_each_row(rows, [&](Row& row) { row.statistics = Statistics::of(row.part); });
    }
    for_each_row(rows, [&](Row& row) { visit(row); });
    double sum = 0;
    for (int r = 0; r < rows; ++r) {
      const Sums& sums = rows_[r].visit.sums;
      if (work_.losses && !work_.per_element) {
        work_.losses[first + r] = work_.row_loss(sums, division_);
      }
      sum += sums.loss;
    }
    if (!grad_.is_wanted()) return sum;
    for (int r = 0; r < rows; ++r) {
      for_each_part([&](RowsAlong& loop, const Range& of) { loop.find_slopes(rows_[r], of); });
    }
    return sum;
  }

  // Those that count.
  template <class F>
  void for_each_row(int rows, F&& f) {
    for (int r = 0; r < rows; ++r) {
      if (rows_[r].counts || work_.per_element) f(rows_[r]);
    }
  }

  // The columns [begin, end).
  struct Range {
    int64_t begin;
    int64_t end;
  };

  // What `step(loop, range)` returns for the parts of a row, to `add`: in the same order, whoever
  // takes them. A row that is held is one part.
  template <class Step, class Add>
  [[gnu::always_inline]] void for_each_part(Step&& step, Add&& add) {
    const int64_t columns = work_.layout.columns;
    if (is_held()) return add(step(*this, Range{0, columns}));
    if (!is_shared_) {
      for (int64_t begin = 0; begin < columns; begin += kChunk) {
        add(step(*this, Range{begin, std::min(begin + kChunk, columns)}));
      }
      return;
    }
    using Result = decltype(step(*this, Range{}));
    Partials<Result> results(chunks_of(columns, kChunk));
    for_each_chunk(columns, kChunk, 1, [&](int64_t i, int64_t begin, int64_t end) {
      RowsAlong loop(work_, division_);
      results[i] = step(loop, Range{begin, end});
    });
    for (int64_t i = 0; i < chunks_of(columns, kChunk); ++i) add(results[i]);
  }

  // The same of a step that returns nothing.
  template <class Step>
  void for_each_part(Step&& step) {
    const auto done = [&](RowsAlong& loop, const Range& of) {
      step(loop, of);
      return true;
    };
    for_each_part(done, [](bool) {});
  }

  // The columns [first, first + n) of a row.
  struct Piece {
    const RowLayout& row;
    int64_t first;
    int n;

    Stretch stretch() const { return {row.at(first), n, Along::columns}; }
  };

  // Calls `f(of, inputs, costly)` for the blocks of a part of a row, with what is held of it. They
  // are the same where nobody asks for inputs any more.
  template <class F>
  [[gnu::always_inline]] void for_each_block(const Row& row, const Range& range, F&& f) {
    for (int64_t first = range.begin; first < range.end; first += kBlock) {
      const int64_t at = is_held() ? row.held + first : 0;
      f(Piece{row.layout, first, int(std::min<int64_t>(kBlock, range.end - first))},
        block_at(inputs_ + at), block_at((Work::kIsSingle ? inputs_ : costly_) + at));
    }
  }
  static Block<A>& block_at(A* numbers) { return *reinterpret_cast<Block<A>*>(numbers); }

  bool counts(const RowLayout& row, const typename Work::Targets& targets) {
    if constexpr (!Work::kIsSingle) {
      if (targets.is_dense) return !work_.target.may_skip_rows() || any_counts(row, targets.dense);
    }
    return work_.counts(row, targets);
  }
  bool any_counts(const RowLayout& row, const Dense::Row& targets) {
    bool any = false;
    for_each_block({row}, {0, work_.layout.columns}, [&](const Piece& of, Block<A>&, Block<A>&) {
      if (any) return;
      load_numbers(targets.values, row.at(of.first).offset, 1, of.n, columns_.weights.of);
      for (int i = 0; i < of.n; ++i) any |= !targets.ignored.is(columns_.weights.of[i]);
    });
    return any;
  }

  void load_inputs(const Piece& of, Block<A>& inputs) const {
    load_block(work_.inputs + of.row.begin + of.first, of.n, A(-INFINITY), inputs);
  }
  // The inputs of a block: where they are, if no step asks for them in the tile, or there.
  const A* inputs_of(const Piece& of, Block<A>& held, bool is_loaded) const {
    if constexpr (Work::kIsSingle) {
      if (const A* const inputs = in_place(work_.inputs + of.row.begin + of.first, of.n)) {
        prefetch(inputs + kBlock, of.n);
        return inputs;
      }
    }
    if (!is_loaded) load_inputs(of, held);
    return held.of;
  }
  A largest(const Row& row, const Range& range) {
    A largest = A(-INFINITY);
    for_each_block(row, range, [&](const Piece& of, Block<A>& inputs, Block<A>&) {
      const A* const numbers = inputs_of(of, inputs, false);
      V most = all<V>(largest);
      for_each_vector<A>(of.n, [&](int i) { most = larger(most, vector_at(numbers + i)); });
      largest = largest_of(most);
    });
    return largest;
  }

  auto rest(const Row& row, const Range& range) {
    typename Work::Part::Rest rest;
    for_each_block(row, range, [&](const Piece& of, Block<A>& inputs, Block<A>& costly) {
      const A* const numbers = inputs_of(of, inputs, is_held());
      rest = rest + exponentials(numbers, of.n, row.part.base(), costly);
    });
    return rest;
  }

  // Leaves exponentials, and says what they add up to beside the largest.
  auto exponentials(const A* inputs, int n, A base, Block<A>& costly) {
    exponentiate(inputs, n, base, costly);
    using X = Addend<A>;
    Mask<X> peaks{};
    const double below = sum_of<4>(costly, n, [&](const X& e) {
      const Mask<X> is_peak = e == all<X>(1);
      peaks = peaks - is_peak;
      return select<X>(is_peak, X{}, e);
    });
    return typename Work::Part::Rest{below, total_of(peaks)};
  }
  [[gnu::flatten, gnu::noinline]] void exponentiate(const A* inputs, int n, A base,
                                                    Block<A>& costly) const {
    const auto link = work_.link;  // so that its numbers stay in registers
    for_each_vector<A>(
        n, [&](int i) { costly.at(i) = link.exponential(vector_at(inputs + i) - base); });
  }

  void visit(Row& row) {
    if constexpr (Work::kIsSingle) {
      const Place place = row.layout.at(row.targets.column(0));
      row.visit = work_.visit(input_at(work_, place), row.targets.template label<A>(place), place,
                              row.statistics, slope_of_division_);
    } else {
      for_each_part([&](RowsAlong& loop, const Range& of) { return loop.visit(row, of); },
                    [&](const Sums& sums) { row.visit.sums = row.visit.sums + sums; });
    }
  }
  Sums visit(const Row& row, const Range& range) {
    Sums sums;
    for_each_block(row, range, [&](const Piece& of, Block<A>& inputs, Block<A>& costly) {
      if (!is_held() || !Work::kIsCoupled) prepare(row, of, inputs, costly);
      sums = sums + visit_block(row, of, inputs, costly);
    });
    return sums;
  }

  // Loads a block of a row of which no step before has left anything.
  void prepare(const Row& row, const Piece& of, Block<A>& inputs, Block<A>& costly) {
    load_inputs(of, inputs);
    if constexpr (Work::kIsCoupled) exponentiate(inputs.of, of.n, row.statistics.base, costly);
  }

  // Leaves in place of inputs what each column is to its row.
  Sums visit_block(const Row& row, const Piece& of, Block<A>& inputs, Block<A>& costly) {
    const int n = of.n;
    weigh(row, of);
    evaluate(row.statistics, n, inputs, costly);
    Sums sums;
    Mask<V> has_weight{};
    for_each_vector<A>(n,
                       [&](int i) { has_weight = has_weight | (columns_.weights.at(i) != V{}); });
    sums.has_weight = !are_all<V>(!has_weight);
    sums.slope = sum_of(inputs, n);
    sums.loss = sum_of_fours(losses_, n);
    if (work_.per_element) {
      A* const losses = work_.losses + of.row.at(of.first).offset;
      for (int i = 0; i < n; ++i) losses[i] = A(division_.of(losses_.of[i]));
    }
    return sums;
  }

  // The weights of the columns of a block, and what their slopes are multiplied by.
  void weigh(const Row& row, const Piece& of) {
    if (row.counts) return columns_.load(work_, of.stretch(), slope_of_division_);
    std::fill_n(columns_.weights.of, kBlock, A(0));
  }

  [[gnu::flatten, gnu::noinline]] void evaluate(const Statistics& given, int n, Block<A>& inputs,
                                                const Block<A>& costly) {
    const Work work = work_;
    const Statistics statistics = given;
    for_each_vector<A>(n, [&](int i) {
      const V weight = columns_.weights.at(i), x = inputs.at(i);
      const V its = Work::kIsCoupled ? costly.at(i) : work.link.costly(x, statistics);
      const auto here = work.column(x, its, weight, columns_.upstreams.at(i), statistics);
      const V own = Work::kIsCoupled ? here.own : here.own * here.slope;
      losses_.at(i) = select<V>(weight != V{}, here.loss, V{});
      inputs.at(i) = select<V>(weight != V{}, own, V{});
    });
  }

  // Writes the slopes of a part of a row.
  void find_slopes(const Row& row, const Range& range) {
    const Sums& sums = row.visit.sums;
    const int64_t target = Work::kIsSingle && sums.has_weight ? row.targets.column(0) : -1;
    for_each_block(row, range, [&](const Piece& of, Block<A>& inputs, Block<A>& costly) {
      Block<A>& slopes = Work::kIsCoupled ? losses_ : inputs;
      if (kIsLone || !sums.has_weight) {
        std::fill_n(slopes.of, of.n, A(0));
      } else {
        if (!is_held()) prepare(row, of, inputs, costly);
        if constexpr (!Work::kIsSingle) {
          if (!is_held()) visit_block(row, of, inputs, costly);
        }
        if constexpr (Work::kIsCoupled) couple(row, of.n, inputs, costly, slopes);
      }
      if (target >= of.first && target < of.first + of.n) {
        slopes.of[target - of.first] = row.visit.slope;
      }
      grad_.write(row.layout.begin + of.first, slopes.of, of.n);
    });
  }

  [[gnu::flatten, gnu::noinline]] void couple(const Row& row, int n, const Block<A>& owns,
                                              const Block<A>& costly, Block<A>& slopes) const {
    const Work work = work_;
    const Statistics statistics = row.statistics;
    const Sums sums = row.visit.sums;
    for_each_vector<A>(n, [&](int i) {
      const V e = costly.at(i), beside = work.slope_beside(e, statistics, A(sums.slope));
      if constexpr (Work::kIsSingle) {
        slopes.at(i) = beside;
      } else {
        const V own = owns.at(i);
        const auto [p, q] = work.link.sides(e, statistics);
        slopes.at(i) =
            select<V>(own == V{}, beside, work.slope_of(own, p, -q, difference(sums.slope, own)));
      }
    });
  }

  const Work& work_;
  const Division& division_;
  const A slope_of_division_;
  bool is_shared_ = false;  // all threads share a row
  Gradient<T> grad_;
  Row rows_[kRows];
  ColumnWeights<A> columns_;
  Block<A> losses_;
  alignas(64) A inputs_[kHeld], costly_[Work::kIsSingle ? 1 : kHeld];  // of a tile
};

}  // namespace culoss::cpu
