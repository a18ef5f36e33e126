// What columns of rows count: what their losses and their slopes are multiplied by.
#pragma once

#include "operands.h"

namespace culoss::cpu {

template <class A>
struct ColumnWeights {
  Block<A> weights, upstreams;

  // Of the columns of a stretch, with weights of 0 behind them. `Work` is a `Rowwise`.
  template <class Work>
  void load(const Work& work, const Stretch& of, A slope_of_division) {
    const auto& sides = work.sides;
    load_targets(work.target, of, weights.of);
    // Alike for all columns: the most frequent case.
    if (sides.is_uniform() && work.grad_output.is_number()) {
      const A alpha = A(sides.alpha.number), scale = sides.scale.at(of.first);
      const A upstream = work.upstream(of.first, slope_of_division);
      for_each_vector<A>(of.n, [&](int i) {
        weights.at(i) = sides(weights.at(i), all<Vector<A>>(alpha), all<Vector<A>>(scale));
        upstreams.at(i) = all<Vector<A>>(upstream);
      });
      return pad(weights, of.n, A(0));
    }
    load_numbers(sides.alpha, of, alphas_.of);
    load_numbers(sides.scale.class_weight, of, scales_.of);
    load_numbers(sides.scale.sample_weight, of, upstreams.of);
    for_each_vector<A>(of.n, [&](int i) {
      weights.at(i) = sides(weights.at(i), alphas_.at(i), scales_.at(i) * upstreams.at(i));
    });
    pad(weights, of.n, A(0));
    load_numbers(work.grad_output, of, upstreams.of);
    for_each_vector<A>(of.n, [&](int i) { upstreams.at(i) = upstreams.at(i) * slope_of_division; });
  }

 private:
  Block<A> alphas_, scales_;
};

}  // namespace culoss::cpu
