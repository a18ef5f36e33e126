// The losses of a block of elements, each by one of its two outcomes.
#pragma once

#include "../losses/elementwise.h"
#include "output.h"

namespace culoss::cpu {

template <class Work>
class Outcomes {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;

  template <class V>
  using Costly = typename Work::template Costly<V>;
  static constexpr int kLanes = LanesOf<V>::kLanes;

 public:
  explicit Outcomes(const Work& work) : work_(work) {}

  // Inputs in memory that are evaluated next: they are asked for meanwhile, since no machine
  // foresees that another page begins; line by line, since memory takes many at once as slowly.
  void expect(const T* next) { next_ = next; }

  // Of what was evaluated last. Slopes stay for one more block after a turn.
  Block<A>& losses() { return losses_; }
  const Block<A>& losses() const { return losses_; }
  Block<A>& slopes() { return slopes_[turn_]; }
  void turn() { turn_ = 1 - turn_; }

  // The outcome of an element, and what it counts.
  struct Side {
    Mask<V> is_positive;
    V weight;
  };

  // Of inputs, each of the side `side_at(i)`. Meanwhile writes `lines`.
  template <class SideAt>
  void evaluate(const A* inputs, int n, A upstream, const SideAt& side_at, Lines lines) {
    if constexpr (std::is_same_v<A, float>) {
      if (isfinite(upstream)) {
        if (evaluate_as<true>(inputs, n, upstream, side_at, lines)) return;
        lines = {};
      }
    }
    evaluate_as<false>(inputs, n, upstream, side_at, lines);
  }
  // The same of inputs some of which are known not to be regular.
  template <class SideAt>
  void evaluate_irregular(const A* inputs, int n, A upstream, const SideAt& side_at) {
    evaluate_as<false>(inputs, n, upstream, side_at, Lines{});
  }

  // The sum of the losses that count, without their weight.
  struct Total {
    double sum;
    bool is_regular;  // else it means nothing
  };
  // Of negatives, if all of them are regular, which is shorter: it leaves no losses. `factor` is
  // what slopes are multiplied by.
  template <bool kHasSlopes>
  [[gnu::flatten, gnu::noinline]] Total add_up_negatives(const A* inputs, int n,
                                                         const Block<A>& counts, A factor,
                                                         const Lines lines) {
    const Work work = work_;
    Block<A>& slopes = this->slopes();
    const auto negative = [](int) { return Side{}; };
    Ahead<true, true, decltype(negative)> ahead(work.link, inputs, padded(n), negative);
    const double sum = sum_of_vectors(n, [&](int i, bool begins_line, V so_far) {
      if (begins_line) lines.write(size_t(i) * (kLine / kSums));
      ask_for_next(i);
      const Dual<V> loss =
          work.template unweighted<true>(vector_at(inputs + i), ahead.next().costly, Mask<V>{});
      if constexpr (kHasSlopes) slopes.at(i) = loss.slope * factor;
      return multiply_add(loss.value, counts.at(i), so_far);
    });
    lines.write_rest(size_t(padded(n)) * (kLine / kSums));
    return {sum, ahead.are_regular()};
  }

 private:
  void ask_for_next(int i) const {
    constexpr int kOfLine = kLine / sizeof(T);
    if (i % kOfLine == 0) __builtin_prefetch(next_ + i);
  }

  // The first two steps of the link, two vectors and one ahead of the third: all are long chains,
  // and the machine works at them at once.
  template <bool kIsRegular, bool kAreNegatives, class SideAt>
  class Ahead {
   public:
    Ahead(const typename Work::Link& link, const A* inputs, int n, const SideAt& side_at)
        : link_(link),
          regular_(link.template regular<kAreNegatives>()),
          inputs_(inputs),
          last_((n - 1) / kLanes * kLanes),
          side_at_(side_at) {
      begun_ = begin(0);
      next();
    }
    struct Element {
      Costly<V> costly;
      Side side;
    };
    Element next() {
      const Element now = next_;
      next_ = {link_.template costly<kIsRegular>(begun_, side_.is_positive), side_};
      begun_ = begin(std::min(at_ + kLanes, last_));
      return now;
    }
    bool are_regular() const { return are_all<V>(most_ < Bits<V>{} + regular_.count); }

   private:
    V begin(int i) {
      const V x = vector_at(inputs_ + i);
      most_ = larger(most_, regular_.index(link_.told(x)));
      at_ = i;
      side_ = side_at_(i);
      return link_.template begun<kIsRegular>(x, side_.is_positive);
    }

    const typename Work::Link link_;  // a copy, so that its numbers stay in registers
    const Interval<A> regular_;
    const A* inputs_;
    int last_;
    const SideAt& side_at_;
    Bits<V> most_{};
    int at_ = 0;  // what has begun
    Side side_;   // of it
    V begun_;
    Element next_{};
  };

  template <bool kIsRegular, class SideAt>
  [[gnu::flatten, gnu::noinline]] bool evaluate_as(const A* inputs, int n, A upstream,
                                                   const SideAt& side_at, const Lines lines) {
    const Work work = work_;
    Block<A>& slopes = this->slopes();
    Ahead<kIsRegular, false, SideAt> ahead(work.link, inputs, n, side_at);
    for_each_vector<A>(n, [&](int i) {
      if (i % kSums == 0) lines.write(size_t(i) * (kLine / kSums));
      ask_for_next(i);
      const auto [costly, side] = ahead.next();
      const Dual<V> loss = work.template of_side<kIsRegular>(
          vector_at(inputs + i), costly, side.is_positive, side.weight, all<V>(upstream));
      losses_.at(i) = loss.value;
      slopes.at(i) = loss.slope;
    });
    lines.write_rest(size_t(padded(n)) * (kLine / kSums));
    return ahead.are_regular();
  }

  const Work& work_;
  const T* next_ = nullptr;
  Block<A> losses_, slopes_[2];
  int turn_ = 0;
};

}  // namespace culoss::cpu
