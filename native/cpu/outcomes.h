// The losses of a block of elements, each by one of its two outcomes.
#pragma once

#include "../losses/elementwise.h"
#include "block.h"

namespace culoss::cpu {

template <class Work>
class Outcomes {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using V = Vector<A>;

 public:
  Block<A> losses, slopes;  // of what was evaluated last

  explicit Outcomes(const Work& work) : work_(work) {}

  // The outcome of an element, and what it counts.
  struct Side {
    Mask<V> is_positive;
    V weight;
  };

  // Inputs, each of the side `side_at(i)`. In two loops, which is faster: one would be a long
  // chain.
  template <class SideAt>
  void compute(const A* inputs, int n, A upstream, const SideAt& side_at) {
    evaluate_prepared(prepare(inputs, n, side_at), inputs, n, upstream, side_at);
  }

  // The first loop: the costly part of the link. Returns whether all inputs are regular.
  template <class SideAt>
  bool prepare(const A* inputs, int n, const SideAt& side_at) {
    if constexpr (std::is_same_v<A, float>) {
      if (prepare_as<true>(inputs, n, side_at)) return true;
    }
    prepare_as<false>(inputs, n, side_at);
    return false;
  }

  // The second loop.
  template <class SideAt>
  void evaluate_prepared(bool is_regular, const A* inputs, int n, A upstream,
                         const SideAt& side_at) {
    if constexpr (std::is_same_v<A, float>) {
      if (is_regular && isfinite(upstream)) {
        return evaluate_as<true>(inputs, n, upstream, side_at);
      }
    }
    evaluate_as<false>(inputs, n, upstream, side_at);
  }

  // The second loop of negatives that are regular, which is shorter: it leaves no losses, but adds
  // up those that count, without their weight. `factor` is what slopes are multiplied by.
  template <bool kHasSlopes>
  [[gnu::flatten, gnu::noinline]] double add_up_negatives(const A* inputs, int n,
                                                          const Block<A>& counts, A factor) {
    const Work work = work_;
    return sum_of_vectors(n, [&](int i, bool begins_line, V so_far) {
      if (std::is_same_v<T, A> && begins_line) __builtin_prefetch(inputs + kBlock + i);
      const Dual<V> loss =
          work.template unweighted<true>(vector_at(inputs + i), costly_at(i), Mask<V>{});
      if constexpr (kHasSlopes) slopes.at(i) = loss.slope * factor;
      return multiply_add(loss.value, counts.at(i), so_far);
    });
  }

 private:
  template <bool kIsRegular, class SideAt>
  [[gnu::flatten, gnu::noinline]] bool prepare_as(const A* inputs, int n, const SideAt& side_at) {
    const auto link = work_.link;  // so that its numbers stay in registers
    Bits<V> most{};
    for_each_vector<A>(n, [&](int i) {
      const V x = vector_at(inputs + i);
      most = larger(most, link.index(x));
      const auto [one, other] = link.template costly<kIsRegular>(x, side_at(i).is_positive);
      costly_[0].at(i) = one;
      costly_[1].at(i) = other;
    });
    return are_all<V>(most < Bits<V>{} + link.regular.count);
  }
  template <bool kIsRegular, class SideAt>
  [[gnu::flatten, gnu::noinline]] void evaluate_as(const A* inputs, int n, A upstream,
                                                   const SideAt& side_at) {
    const Work work = work_;
    for_each_vector<A>(n, [&](int i) {
      const auto [is_positive, weight] = side_at(i);
      const Dual<V> loss = work.template of_side<kIsRegular>(vector_at(inputs + i), costly_at(i),
                                                             is_positive, weight, all<V>(upstream));
      losses.at(i) = loss.value;
      slopes.at(i) = loss.slope;
    });
  }
  auto costly_at(int i) const {
    return typename Work::template Costly<V>{costly_[0].at(i), costly_[1].at(i)};
  }

  const Work& work_;
  Block<A> costly_[2];
};

}  // namespace culoss::cpu
