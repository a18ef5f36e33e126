// The categorical losses where rows are short, or their elements lie apart: neighbouring rows go
// abreast, each in a lane of its own, class by class. Short rows are turned in a tile, so that the
// elements of a class lie together there, too; others are read where they are. Of rows of class
// ids, the tile then holds the exponentials.
#pragma once

#include <algorithm>

#include "../losses/rowwise.h"
#include "output.h"
#include "reduce.h"
#include "tile.h"
#include "totals.h"
#include "weights.h"

namespace culoss::cpu {

template <class Work>
class RowsAbreast {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;
  using Statistics = typename Work::template StatisticsOf<V>;
  using Id = typename LanesOf<A>::Int;
  using Ids = typename LanesOf<V>::Int;

 public:
  RowsAbreast(const Work& work, const Division& division)
      : work_(work),
        division_(division),
        slope_of_division_(A(division.slope())),
        grad_(work.grad, work.layout.elements()),
        tile_(work.layout.columns, rows_abreast(work.layout.columns)) {}

  static bool suits(const Layout& layout) {
    return layout.columns <= (layout.inner == 1 ? Tile<T>::kMostColumns : kMostColumns);
  }

  // The sum of the losses of all rows.
  static double run_all(const Work& work, const Division& division) {
    const int64_t columns = work.layout.columns, most = rows_abreast(columns);
    const int64_t tiles = (rows_per_chunk(columns) + most - 1) / most;
    return sum_over_chunks(work.layout.rows(), tiles * most, columns,
                           [&] { return RowsAbreast(work, division); });
  }

  // The sum of the losses of the rows [begin, end).
  double operator()(int64_t begin, int64_t end) {
    const int64_t inner = work_.layout.inner, most = rows_abreast(work_.layout.columns);
    double sum = 0;
    for (int64_t row = begin; row < end; row += n_) {
      const int64_t neighbours = is_turned() ? end - row : inner - row % inner;
      row_ = work_.layout.row(row);
      n_ = int(std::min({most, end - row, neighbours}));
      sum += rows();
    }
    return sum;
  }

 private:
  // The largest columns of a row are counted in floats.
  static constexpr int64_t kMostColumns = (1 << 24) - 1;
  static constexpr int64_t kLeast = 64, kMostSteps = 16 * kChunk;
  static constexpr bool kIsCoupled = Work::kIsCoupled;
  static constexpr bool kIsSingle = Work::kIsSingle;

  // As many as a tile has of them, in whole sums; of long rows more, so that each step of a class
  // has work enough, and of very long ones as few as fill a line of the cache.
  static int64_t rows_abreast(int64_t columns) {
    const int64_t rows = Tile<T>::kNumbers / std::max<int64_t>(1, columns);
    const int64_t least =
        std::clamp<int64_t>(kMostSteps / std::max<int64_t>(1, columns), 1, kLeast);
    return std::clamp<int64_t>(std::max(rows, least) / kSums * kSums, kSums, kBlock);
  }

  double rows() {
    if (is_turned() && !Work::kIsLone) {
      tile_.load(work_.inputs + row_.begin, n_, work_.inputs + work_.layout.elements());
    }
    if constexpr (kIsCoupled) find_statistics();
    visit();
    const double sum = sum_of(loss_, n_);
    if (work_.losses && !work_.per_element) {
      for (int i = 0; i < n_; ++i) work_.losses[row_.row + i] = A(division_.of(loss_.of[i]));
    }
    if (!grad_.is_wanted()) return sum;
    const int64_t columns = work_.layout.columns;
    for (int64_t c = 0; c < columns; ++c) {
      find_slopes(c, is_turned() ? tile_.column(c) : slopes_.of);
      if (!is_turned()) grad_.write(offset(c), slopes_.of, n_);
    }
    if (is_turned()) {
      tile_.unload(n_, [&](int first, const A* slopes, int n) {
        grad_.write(row_.begin + first * columns, slopes, int(n * columns));
      });
    }
    return sum;
  }

  bool is_turned() const { return work_.layout.inner == 1; }
  // From one row to the next.
  int64_t step() const { return is_turned() ? work_.layout.columns : 1; }
  Stretch stretch(int64_t c) const { return {row_.at(c), n_, Along::rows, step()}; }
  int64_t offset(int64_t c) const { return row_.at(c).offset; }
  Place place_of(int i, int64_t c) const {
    return {row_.row + i, c, row_.begin + i * step() + c * row_.step};
  }

  // Calls `f(i)` for the first of the rows of each vector.
  template <class F>
  [[gnu::always_inline]] void for_each_vector(F&& f) const {
    cpu::for_each_vector<A>(n_, f);
  }

  bool holds_exponentials() const { return kIsCoupled && kIsSingle && tile_.is_held(); }
  // Of elements that are read where they are, a vector may reach into those that follow.
  const A* inputs_of(int64_t c) {
    if (is_turned()) return tile_.column(c);
    const T* const inputs = work_.inputs + offset(c);
    if constexpr (std::is_same_v<T, A>) {
      if (offset(c) + padded(n_) <= work_.layout.elements()) return inputs;
    }
    load_block(inputs, n_, A(0.5), inputs_);
    return inputs_.of;
  }

  void find_statistics() {
    const int64_t columns = work_.layout.columns;
    for_each_vector([&](int i) { base_.at(i) = all<V>(A(-INFINITY)); });
    for (int64_t c = 0; c < columns; ++c) {
      const A* const inputs = inputs_of(c);
      for_each_vector([&](int i) { base_.at(i) = larger(base_.at(i), vector_at(inputs + i)); });
    }
    for_each_vector([&](int i) { base_.at(i) = base_of(base_.at(i)), peaks_.at(i) = V{}; });
    rest_.clear(n_);
    for (int64_t c = 0; c < columns; ++c) {
      add_exponentials(inputs_of(c), holds_exponentials() ? tile_.column(c) : slopes_.of);
    }
    for_each_vector([&](int i) {
      // Of the largest, one is left out; NaN if there is none.
      const V peaks = peaks_.at(i);
      const V rest = rest_.plus(i, select<V>(peaks > V{}, peaks - 1, all<V>(A(NAN))));
      const auto statistics = Statistics::of(base_.at(i), rest);
      rests_.at(i) = statistics.rest;
      log_totals_.at(i) = statistics.log_total;
      inverse_totals_.at(i) = statistics.inverse_total;
    });
  }
  // Leaves them, too.
  [[gnu::flatten, gnu::noinline]] void add_exponentials(const A* inputs, A* to) {
    const auto link = work_.link;  // so that its numbers stay in registers
    for_each_vector([&](int i) {
      const V e = link.exponential(vector_at(inputs + i) - base_.at(i));
      const Mask<V> is_peak = e == all<V>(1);
      peaks_.at(i) = peaks_.at(i) + select<V>(is_peak, all<V>(1), V{});
      rest_.add(i, select<V>(is_peak, V{}, e));
      put_vector(to + i, e);
    });
  }
  Statistics statistics_at(int i) const {
    if constexpr (kIsCoupled) {
      return {base_.at(i), rests_.at(i), log_totals_.at(i), inverse_totals_.at(i)};
    } else {
      return {};
    }
  }

  // Leaves the losses of the rows, and what couples their columns.
  void visit() {
    loss_.clear(n_);
    own_.clear(n_);
    for_each_vector([&](int i) { has_weight_.at(i) = V{}; });
    if constexpr (kIsSingle) {
      visit_targets();
    } else {
      find_counts();
      for (int64_t c = 0; c < work_.layout.columns; ++c) {
        visit_class(c);
        add_up();
        if (work_.per_element) write_losses(c);
      }
    }
  }
  // The one column of each row that has a loss.
  void visit_targets() {
    const bool is_uniform = work_.sides.is_uniform() && work_.grad_output.is_number();
    A weight = 0, upstream = 0;
    work_.target.for_each_id(row_.row, row_.row + n_, [&](int64_t row, int64_t id) {
      const int i = int(row - row_.row);
      const Place place = place_of(i, id);
      const bool counts = id >= 0;
      if (counts && (!is_uniform || weight == 0)) {
        weight = work_.sides(A(1), place);
        upstream = work_.upstream(place, slope_of_division_);
      }
      ids_[i] = Id(id);
      inputs_.of[i] = counts ? load(work_.inputs[place.offset]) : A(0.5);
      columns_.weights.of[i] = counts ? weight : A(0);
      columns_.upstreams.of[i] = upstream;
    });
    pad(inputs_, n_, A(0.5));
    pad(columns_.weights, n_, A(0));
    evaluate(inputs_.of);
    add_up();
    for_each_vector([&](int i) { slopes_of_targets_.at(i) = slopes_.at(i); });
  }
  void find_counts() {
    const AnyTarget& target = work_.target;
    std::fill_n(counts_.of, n_, A(!target.may_skip_rows()));
    pad(counts_, n_, A(0));
    if (!target.may_skip_rows()) return;
    if (!target.is_dense) {
      target.ids.for_each_id(row_.row, row_.row + n_, [&](int64_t row, int64_t id) {
        counts_.of[row - row_.row] = A(id >= 0);
      });
      return;
    }
    for (int64_t c = 0; c < work_.layout.columns; ++c) {
      load_targets(target.dense, stretch(c), losses_.of, slopes_.of);
      for_each_vector([&](int i) {
        counts_.at(i) = select<V>(slopes_.at(i) != V{}, all<V>(1), counts_.at(i));
      });
    }
  }
  void visit_class(int64_t c) {
    columns_.load(work_, stretch(c), slope_of_division_);
    for_each_vector([&](int i) {
      V& weight = columns_.weights.at(i);
      weight = select<V>(counts_.at(i) != V{}, weight, V{});
    });
    evaluate(inputs_of(c));
  }
  // Leaves what the columns are to their rows, one of each.
  [[gnu::flatten, gnu::noinline]] void evaluate(const A* inputs) {
    const Work work = work_;
    for_each_vector([&](int i) {
      const Statistics statistics = statistics_at(i);
      const V x = vector_at(inputs + i), weight = columns_.weights.at(i);
      const auto here = work.column(x, work.link.costly(x, statistics), weight,
                                    columns_.upstreams.at(i), statistics);
      const Mask<V> has_weight = weight != V{};
      losses_.at(i) = select<V>(has_weight, here.loss, V{});
      owns_.at(i) = select<V>(has_weight, here.own, V{});
      slopes_.at(i) = select<V>(has_weight, here.own * here.slope, V{});
    });
  }
  void add_up() {
    for_each_vector([&](int i) {
      loss_.add(i, losses_.at(i));
      own_.add(i, owns_.at(i));
      has_weight_.at(i) = select<V>(columns_.weights.at(i) != V{}, all<V>(1), has_weight_.at(i));
    });
  }
  void write_losses(int64_t c) const {
    A* const losses = work_.losses + offset(c);
    for (int i = 0; i < n_; ++i) losses[i * step()] = A(division_.of(losses_.of[i]));
  }

  void find_slopes(int64_t c, A* to) {
    if constexpr (!kIsSingle) visit_class(c);
    if constexpr (kIsCoupled) {
      couple(holds_exponentials() ? tile_.column(c) : inputs_of(c), c, to);
    } else {
      for_each_vector([&](int i) { put_vector(to + i, slope_at(i, c, slopes_.at(i))); });
    }
  }
  // The slope of rows in a class, of what that is where they have weight: of class ids, beside the
  // class that has the loss.
  V slope_at(int i, int64_t c, V slope) const {
    if constexpr (kIsSingle) {
      const Ids is_target = ids_at(i) == Ids{} + Id(c);
      slope = select<V>(is_target, slopes_of_targets_.at(i), kIsCoupled ? slope : V{});
    }
    return select<V>(has_weight_.at(i) != V{}, slope, V{});
  }
  // The slopes of a class to which the others of its row are coupled.
  [[gnu::flatten, gnu::noinline]] void couple(const A* numbers, int64_t c, A* to) {
    const Work work = work_;
    const bool are_exponentials = holds_exponentials();
    for_each_vector([&](int i) {
      const Statistics statistics = statistics_at(i);
      const V number = vector_at(numbers + i);
      const V e = are_exponentials ? number : work.link.costly(number, statistics);
      V slope = work.slope_beside(e, statistics, own_.plus(i, V{}));
      if constexpr (!kIsSingle) {
        const V own = owns_.at(i);
        const auto [p, q] = work.link.sides(e, statistics);
        slope = select<V>(own == V{}, slope, work.slope_of(own, p, -q, own_.plus(i, -own)));
      }
      put_vector(to + i, slope_at(i, c, slope));
    });
  }
  const Ids& ids_at(int i) const { return *reinterpret_cast<const Ids*>(ids_ + i); }

  const Work& work_;
  const Division& division_;
  const A slope_of_division_;
  Gradient<T> grad_;
  RowLayout row_;  // the first of those that are abreast
  int n_;          // how many they are

  Block<A> inputs_, losses_, owns_, slopes_, slopes_of_targets_;  // of one class
  ColumnWeights<A> columns_;
  Block<A> base_, peaks_, rests_, log_totals_, inverse_totals_, counts_, has_weight_;  // of rows
  Totals rest_, loss_, own_;                                                           // of rows
  alignas(64) Id ids_[kBlock];
  Tile<T> tile_;
};

}  // namespace culoss::cpu
