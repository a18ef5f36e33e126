// The binary losses, in the order of memory, block by block: whether elements lie along a row or,
// where the class axis is not the last one, along one class of neighbouring rows.
#pragma once

#include <algorithm>

#include "../core/places.h"
#include "../losses/elementwise.h"
#include "output.h"

namespace culoss::cpu {

template <class Work>
class ElementwiseLoop {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;

 public:
  ElementwiseLoop(const Work& work, const Division& division)
      : work_(work), division_(division), grad_(work.grad, work.layout.elements()) {}

  // The sum of the losses of the elements [begin, end).
  double run(int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t at = begin; at < end; at += kBlock) {
      const int n = int(std::min<int64_t>(kBlock, end - at));
      load_block(work_.inputs + at, n, A(0), inputs_);
      evaluate(at, n);
      sum += sum_of(losses_.of, n);
      if (work_.losses) write_losses(at, n);
      if (grad_.is_wanted()) grad_.write(at, slopes_.of, n);
    }
    grad_.finish();
    return sum;
  }

 private:
  // Whether elements have an upstream gradient of their own.
  bool has_upstreams() const { return work_.grad_output.along == Along::elements; }
  A slope_of_division() const { return A(division_.slope()); }

  void evaluate(int64_t at, int n) {
    if constexpr (Work::kIsHard) {
      if (work_.layout.inner == 1) return evaluate_rows(at, n);
    }
    weigh(at, n);
    evaluate_weighed(n);
    if (has_upstreams()) scale(at, n);
  }

  // Class ids, along rows: all are taken for negatives, and then the one positive of each row is
  // mended.
  [[gnu::flatten]] void evaluate_rows(int64_t at, int n) {
    const A upstream = work_.upstream({}, slope_of_division());
    const Work work = work_;  // so that its numbers stay in registers
    const V negative = all<V>(work.sides.negative);
    for_each_vector<A>(n, [&](int i) {
      put(i, work.of_side(inputs_.at(i), Mask<V>{}, negative, all<V>(upstream)));
    });
    const int64_t columns = work_.layout.columns;
    for (int64_t row = at / columns; row * columns < at + n; ++row) {
      const int64_t first = row * columns - at, id = work_.target.id(row), i = first + id;
      if (id < 0) {  // the row does not count
        const int64_t end = std::min<int64_t>(first + columns, n);
        for (int64_t i = std::max<int64_t>(first, 0); i < end; ++i) put_one(int(i), {0, 0});
      } else if (i >= 0 && i < n) {
        put_one(int(i), work_.of_side(inputs_.of[i], true, work_.sides.positive, upstream));
      }
    }
  }

  // What both outcomes of each element count.
  void weigh(int64_t at, int n) {
    for_each_place(work_, at, at + n, [&](const Place& place, const auto& targets) {
      const Weights<A> weights = work_.weights(targets.template label<A>(place), place);
      positive_.of[place.offset - at] = weights.positive;
      negative_.of[place.offset - at] = weights.negative;
    });
  }

  [[gnu::flatten]] void evaluate_weighed(int n) {
    const Work work = work_;
    const A upstream = has_upstreams() ? 1 : work_.upstream({}, slope_of_division());
    bool is_soft = false;  // both outcomes of an element count
    for (int i = 0; i < n; ++i) is_soft |= (positive_.of[i] != 0) & (negative_.of[i] != 0);
    for_each_vector<A>(n, [&](int i) {
      const Mask<V> is_positive = positive_.at(i) != V{};
      const V weight = select<V>(is_positive, positive_.at(i), negative_.at(i));
      put(i, work.of_side(inputs_.at(i), is_positive, weight, all<V>(upstream)));
    });
    if (!is_soft) return;
    for_each_vector<A>(n, [&](int i) {
      const V weight = select<V>(positive_.at(i) != V{}, negative_.at(i), V{});
      const Dual<V> other = work.of_side(inputs_.at(i), Mask<V>{}, weight, all<V>(upstream));
      put(i, {losses_.at(i) + other.value, slopes_.at(i) + other.slope});
    });
  }

  // Upstream gradients that elements have of their own.
  void scale(int64_t at, int n) {
    for_each_place(work_, at, at + n, [&](const Place& place, const auto&) {
      A& slope = slopes_.of[place.offset - at];
      if (slope != 0) slope *= work_.upstream(place, slope_of_division());  // not 0 · ∞
    });
  }

  void write_losses(int64_t at, int n) const {
    A* const losses = work_.losses + at;
    for (int i = 0; i < n; ++i) losses[i] = A(division_.of(losses_.of[i]));
  }

  void put(int i, const Dual<V>& loss) {
    losses_.at(i) = loss.value;
    slopes_.at(i) = loss.slope;
  }
  void put_one(int i, const Dual<A>& loss) {
    losses_.of[i] = loss.value;
    slopes_.of[i] = loss.slope;
  }

  const Work& work_;
  const Division& division_;
  const Gradient<T> grad_;
  Block<A> inputs_, positive_, negative_, losses_, slopes_;
};

}  // namespace culoss::cpu
