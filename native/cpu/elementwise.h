// The binary losses, in the order of memory, block by block: whether elements lie along a row or,
// where the class axis is not the last one, along one class of neighbouring rows.
#pragma once

#include <math.h>

#include <algorithm>

#include "operands.h"
#include "outcomes.h"
#include "output.h"

namespace culoss::cpu {

template <class Work>
class ElementwiseLoop {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;
  using Side = typename Outcomes<Work>::Side;
  static constexpr bool kIsFloat = std::is_same_v<A, float>;
  // Its targets are, and nothing weighs an element beside them.
  static constexpr bool kIsDense = Work::kIsUniform && !Work::kIsHard;

 public:
  ElementwiseLoop(const Work& work, const Division& division)
      : work_(work),
        division_(division),
        outcomes_(work),
        grad_(work.grad, work.layout.elements()) {
    if constexpr (Work::kIsHard && kIsFloat)
      std::fill_n(counts_.of, padded(int(std::min<int64_t>(kBlock, work.layout.elements()))), A(1));
    if constexpr (kIsDense) is_soft_ = work.sides.shares.smoothing.is_on();
  }

  // The sum of the losses of the elements [begin, end).
  double operator()(int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t at = begin; at < end; at += kBlock) {
      const int n = int(std::min<int64_t>(kBlock, end - at));
      inputs_ = inputs_of(at, n);
      outcomes_.expect(work_.inputs + at + kBlock);
      sum += evaluate(at, n);
      if (work_.losses) write_losses(at, n);
      if (grad_.is_wanted()) {
        grad_.begin_write(at, outcomes_.slopes().of, n);
        outcomes_.turn();
      }
    }
    return sum;
  }

 private:
  // Whether elements have an upstream gradient of their own.
  bool has_upstreams() const { return work_.grad_output.along == Along::elements; }
  A slope_of_division() const { return A(division_.slope()); }

  const A* inputs_of(int64_t at, int n) {
    if (const A* const inputs = in_place(work_.inputs + at, n)) return inputs;
    fill_block(work_.inputs + at, n, A(0.5), loaded_);
    return loaded_.of;
  }
  // The sum of the losses of a block, which it leaves if they are asked for, and slopes likewise.
  double evaluate(int64_t at, int n) {
    if constexpr (Work::kIsHard) {
      if (work_.layout.inner == 1) return evaluate_rows(at, n);
    }
    if constexpr (kIsDense) {
      if (!is_soft_ && !work_.target.ignored.any) {
        evaluate_targets(targets_of(at, n), n);
        if (!is_soft_) return sum_of_fours(outcomes_.losses(), n);  // else it is not right
      }
    }
    weigh(at, n);
    evaluate_weighed(n);
    if (has_upstreams()) scale(at, n);
    return sum_of_fours(outcomes_.losses(), n);
  }

  // Dense targets: where they are, or with zeros behind them.
  const A* targets_of(int64_t at, int n) {
    const ConstArray& values = work_.target.values;
    if (values.dtype == Dtype::float32 && kIsFloat) {
      const A* const targets = static_cast<const A*>(values.memory) + at;
      if (in_place(targets, n)) return targets;
    }
    load_targets(work_.target, Stretch{{0, 0, at}, n, Along::columns}, positive_.of);
    pad(positive_, n, A(0));
    return positive_.of;
  }
  // The outcome of elements that counts; where both do, it `is_soft`.
  static Side side_of(const Weights<V>& weights, Mask<V>& is_soft) {
    const Mask<V> is_positive = weights.positive != V{};
    is_soft = is_soft | (is_positive & (weights.negative != V{}));
    return {is_positive, select<V>(is_positive, weights.positive, weights.negative)};
  }
  // Elements of which one outcome counts; else it says that this `is_soft_`.
  void evaluate_targets(const A* targets, int n) {
    const auto sides = work_.sides;
    const A* const next = targets == positive_.of ? targets : targets + kBlock;
    Mask<V> is_soft{};
    const auto side_at = [&](int i) {
      if (i % kSums == 0) __builtin_prefetch(next + i);
      return side_of(sides(vector_at(targets + i)), is_soft);
    };
    const A upstream = work_.upstream({}, slope_of_division());
    outcomes_.evaluate(inputs_, n, upstream, side_at, grad_.take_lines());
    is_soft_ = !are_all<V>(!is_soft);
  }

  // Class ids, along rows: all are taken for negatives, and then the one positive of each row is
  // mended. Where nothing is in the way, the sum is taken at once.
  double evaluate_rows(int64_t at, int n) {
    const A upstream = work_.upstream({}, slope_of_division()), weight = work_.sides.negative;
    const bool do_all_count = find_positives(at, n);
    evaluate_positives(upstream);
    const auto side_at = [=](int) { return Side{Mask<V>{}, all<V>(weight)}; };
    const bool is_added_up = kIsFloat && do_all_count && !work_.losses;
    typename Outcomes<Work>::Total negatives{0, false};
    if constexpr (kIsFloat) {
      if (is_added_up) negatives = total_of_negatives(n, weight * upstream);
    }
    const bool has_sum = negatives.is_regular;
    if (is_added_up && !has_sum) {
      outcomes_.evaluate_irregular(inputs_, padded(n), upstream, side_at);
    } else if (!has_sum || (grad_.is_wanted() && !is_exact(weight, upstream))) {
      outcomes_.evaluate(inputs_, padded(n), upstream, side_at, grad_.take_lines());
    }
    for (int k = 0; k < positives_; ++k) {
      outcomes_.losses().of[places_[k]] = losses_of_positives_.of[k];
      outcomes_.slopes().of[places_[k]] = slopes_of_positives_.of[k];
    }
    if (has_sum) return weight * negatives.sum + sum_of_fours(losses_of_positives_, positives_);
    if (!do_all_count) clear_others(at, n);
    return sum_of_fours(outcomes_.losses(), n);
  }
  // Those of a block; whether all rows count.
  bool find_positives(int64_t at, int n) {
    bool do_all_count = true;
    positives_ = 0;
    for_each_row(at, n, [&](int64_t first, int64_t id) {
      const int64_t i = first + id;
      do_all_count &= id >= 0;
      if (id < 0 || i < 0 || i >= n) return;
      positive_.of[positives_] = inputs_[i];
      places_[positives_++] = int(i);
    });
    return do_all_count;
  }
  // All together.
  void evaluate_positives(A upstream) {
    if (positives_ == 0) return;
    pad(positive_, positives_, A(0.5));
    const V weight = all<V>(work_.sides.positive);
    const auto side_at = [=](int) { return Side{V{} == V{}, weight}; };
    outcomes_.evaluate(positive_.of, positives_, upstream, side_at, Lines{});
    keep_positives(positives_);
  }
  // Whether their product keeps its digits, so that slopes can be multiplied by that.
  static bool is_exact(A weight, A upstream) {
    const A factor = weight * upstream;
    return isnormal(factor) || (factor == 0 && (weight == 0 || upstream == 0));
  }
  auto total_of_negatives(int n, A factor) {
    set_counts(n, 0);
    const Lines lines = grad_.take_lines();
    const auto total =
        grad_.is_wanted()
            ? outcomes_.template add_up_negatives<true>(inputs_, n, counts_, factor, lines)
            : outcomes_.template add_up_negatives<false>(inputs_, n, counts_, factor, lines);
    set_counts(n, 1);
    return total;
  }
  // What is no negative of a block counts 0 or 1 times.
  void set_counts(int n, A count) {
    for (int k = 0; k < positives_; ++k) counts_.of[places_[k]] = count;
    std::fill(counts_.of + n, counts_.of + padded(n), count);
  }
  // The rows that do not count.
  void clear_others(int64_t at, int n) {
    for_each_row(at, n, [&](int64_t first, int64_t id) {
      if (id >= 0) return;
      const int64_t begin = std::max<int64_t>(first, 0);
      const int64_t end = std::min<int64_t>(first + work_.layout.columns, n);
      std::fill(outcomes_.losses().of + begin, outcomes_.losses().of + end, A(0));
      std::fill(outcomes_.slopes().of + begin, outcomes_.slopes().of + end, A(0));
    });
  }
  // Calls `f(first, id)` for the rows of [at, at + n): where a row begins, seen from `at`, and its
  // class, which is negative if the row does not count.
  template <class F>
  void for_each_row(int64_t at, int n, F&& f) const {
    const int64_t columns = work_.layout.columns;
    int64_t row = at / columns;
    for (int64_t first = row * columns - at; first < n; first += columns) {
      f(first, work_.target.id(row++));
    }
  }
  void keep_positives(int n) {
    std::copy_n(outcomes_.losses().of, n, losses_of_positives_.of);
    std::copy_n(outcomes_.slopes().of, n, slopes_of_positives_.of);
  }

  void evaluate_weighed(int n) {
    const A upstream = has_upstreams() ? 1 : work_.upstream({}, slope_of_division());
    Mask<V> is_soft{};
    const auto side_at = [&](int i) {
      return side_of({positive_.at(i), negative_.at(i)}, is_soft);
    };
    outcomes_.evaluate(inputs_, n, upstream, side_at, grad_.take_lines());
    if (are_all<V>(!is_soft)) return;
    keep_positives(n);
    for_each_vector<A>(n, [&](int i) {
      negative_.at(i) = select<V>(positive_.at(i) != V{}, negative_.at(i), V{});
      positive_.at(i) = V{};
    });
    outcomes_.evaluate(inputs_, n, upstream, side_at, Lines{});
    for_each_vector<A>(n, [&](int i) {
      outcomes_.losses().at(i) = losses_of_positives_.at(i) + outcomes_.losses().at(i);
      outcomes_.slopes().at(i) = slopes_of_positives_.at(i) + outcomes_.slopes().at(i);
    });
  }

  // What both outcomes of each element count. Until then the blocks of losses and slopes hold
  // targets and whether they count, and those of the outcomes alpha and its complement.
  void weigh(int64_t at, int n) {
    for_each_stretch(at, n, [&](const Stretch& of, int i) {
      load_targets(work_.target, of, outcomes_.losses().of + i, outcomes_.slopes().of + i);
      if constexpr (!Work::kIsUniform) load_factors(of, i, n);
    });
    const auto sides = work_.sides;
    for_each_vector<A>(n, [&](int i) {
      Weights<V> weights;
      if constexpr (Work::kIsUniform) {
        weights = sides(outcomes_.losses().at(i));
      } else {
        weights =
            sides(outcomes_.losses().at(i), {positive_.at(i), negative_.at(i), pos_weights_.at(i),
                                             class_weights_.at(i) * sample_weights_.at(i)});
      }
      const Mask<V> counts = outcomes_.slopes().at(i) != V{};
      positive_.at(i) = select<V>(counts, weights.positive, V{});
      negative_.at(i) = select<V>(counts, weights.negative, V{});
    });
    pad(positive_, n, A(0));
  }
  void load_factors(const Stretch& of, int i, int n) {
    const auto& sides = work_.sides;
    const auto as_is = [](double number) { return number; };
    const auto load = [&](const Broadcast& numbers, Block<A>& block, auto&& f) {
      if (numbers.array.memory) return load_numbers(numbers, of, block.of + i, f);
      if (i == 0) std::fill_n(block.of, n, A(f(numbers.number)));  // for the whole block
    };
    load(sides.alpha, positive_, as_is);
    load(sides.alpha, negative_, sides.complement_of);
    load(sides.pos_weight, pos_weights_, as_is);
    load(sides.scale.class_weight, class_weights_, as_is);
    load(sides.scale.sample_weight, sample_weights_, as_is);
  }

  // Calls `f(of, i)` for the pieces of [at, at + n) that lie along one row or one class, of which
  // the first is the i-th element of the block.
  template <class F>
  void for_each_stretch(int64_t at, int n, F&& f) const {
    const Layout& layout = work_.layout;
    const bool is_row = layout.inner == 1 && layout.columns > 1;
    const int64_t length = is_row                ? layout.columns
                           : layout.columns == 1 ? layout.elements()
                                                 : layout.inner;
    for (int i = 0; i < n;) {
      const int64_t left = length - (at + i) % length;
      const int size = int(std::min<int64_t>(left, n - i));
      f(Stretch{layout.at_offset(at + i), size, is_row ? Along::columns : Along::rows}, i);
      i += size;
    }
  }

  // Upstream gradients that elements have of their own.
  void scale(int64_t at, int n) {
    load_numbers(work_.grad_output.array, at, 1, n, positive_.of);
    const A slope_of_division = this->slope_of_division();
    for_each_vector<A>(n, [&](int i) {
      const V slope = outcomes_.slopes().at(i), upstream = positive_.at(i) * slope_of_division;
      outcomes_.slopes().at(i) = select<V>(slope == V{}, V{}, slope * upstream);  // not 0 · ∞
    });
  }

  void write_losses(int64_t at, int n) const {
    A* const losses = work_.losses + at;
    if (division_.divisor == 1) return copy(losses, outcomes_.losses().of, n);
    for (int i = 0; i < n; ++i) losses[i] = A(division_.of(outcomes_.losses().of[i]));
  }

  const Work& work_;
  const Division& division_;
  const A* inputs_;       // of the block
  bool is_soft_ = false;  // so far, an element of which both outcomes count
  Outcomes<Work> outcomes_;
  Block<A> loaded_, counts_, positive_, negative_;
  Block<A> pos_weights_, class_weights_, sample_weights_;
  Block<A> losses_of_positives_, slopes_of_positives_;
  int positives_;       // how many a block of class ids has
  int places_[kBlock];  // of them
  Gradient<T> grad_;    // of slopes that wait in the outcomes
};

}  // namespace culoss::cpu
