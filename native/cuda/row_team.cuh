// What a team of threads does with a row, or with its part of one.
#pragma once

#include "../losses/rowwise.h"
#include "packs.cuh"

namespace culoss::cuda {

template <class Team, class Slots, class Work>
struct RowTeam {
  using T = typename Work::Stored;
  using A = typename Work::A;
  using Part = typename Work::Part;
  using Statistics = typename Work::Statistics;
  using Sums = typename Work::Sums;
  static constexpr int kPack = kPackElements<T>;

  const Work& work;
  const DivisionSource& source;
  Slots& slots;
  RowLayout row;
  Run<T> run;     // of the part
  int64_t first;  // column of the part
  typename Work::Targets targets;
  A slope_of_target = 0;  // of a single target, once it was visited

  // The part of a row that is `part` of `parts`, of equally many packs.
  __device__ RowTeam(const Work& work, const DivisionSource& source, Slots& slots,
                     int64_t row_index, unsigned part = 0, unsigned parts = 1)
      : work(work),
        source(source),
        slots(slots),
        row{row_index, row_index * work.layout.columns, 1},
        targets(work.target.row(row_index)) {
    const auto whole = Run<T>::of(work.inputs + row.begin, work.layout.columns);
    const int64_t packs = (unsigned(whole.packs()) + parts - 1) / parts;
    run = whole.part(part * packs, (part + 1) * packs);
    first = run.begin - whole.begin;
  }

  // Whether a target of the row counts.
  __device__ bool counts() const {
    if (work.target.width() == 1 || !work.target.may_skip_rows()) return work.counts(row, targets);
    bool any = false;
    for (int64_t c = Team::rank(); c < work.layout.columns && !any; c += Team::kSize) {
      any = targets.template label<A>(row.at(c)).counts;
    }
    return Team::any(any);
  }

  // Takes the part in: its largest logit, and what it leaves beside that.
  __device__ Part take_in() const {
    Part part;
    slots.template fill<Team>(run, store<T>(A(-INFINITY)), [&](const Pack<T>& x) {
#pragma unroll
      for (int e = 0; e < kPack; ++e) part.pass(load(x.of[e]));
    });
    part.max = Team::reduce(part.max, Larger{});
    const A base = part.base();
    slots.template each<Team>(run, [&](const Pack<T>& x, int64_t) {
      A powers[kPack];
      A below = 0;  // few numbers of one size: their sum may be as narrow as they are
#pragma unroll
      for (int e = 0; e < kPack; ++e) {
        powers[e] = work.link.exponential(load(x.of[e]) - base);
        below += powers[e];
      }
      if (!(below < 1)) {  // a peak may be among them
        below = 0;
#pragma unroll
        for (const A power : powers) {
          below += power == 1 ? A(0) : power;
          part.rest.peaks += power == 1;
        }
      }
      part.rest.below += double(below);
    });
    part.rest = Team::reduce(part.rest, Plus{});
    return part;
  }

  // The sums over the part, handed to all threads; writes the losses of its elements if those are
  // wanted, and if nothing couples them their gradients. A single element is visited by all
  // threads: that takes no longer than by one, and no exchange.
  __device__ Sums visit(const Statistics& statistics, A slope_of_division) {
    if constexpr (Work::kIsSingle) {
      const Place place = row.at(targets.column(0));
      const auto visit =
          work.visit(load(work.inputs[place.offset]), targets.template label<A>(place), place,
                     statistics, slope_of_division);
      slope_of_target = visit.slope;
      return visit.sums;
    }
    Sums sums;
    const bool writes_grad = !Work::kIsCoupled && work.grad;
    const Outputs<T> outputs{work.per_element ? work.losses + begin() : nullptr,
                             writes_grad ? work.grad + begin() : nullptr, source};
    slots.template each<Team>(run, [&](const Pack<T>& x, int64_t at) {
      visit_pack(x, at, outputs, [&](A input, const Label<A>& label, const Place& place) {
        const Sums here = work.visit(input, label, place, statistics, slope_of_division).sums;
        sums = sums + here;
        A slope = 0;
        if (writes_grad)
          slope = work.slope(input, label, place, statistics, here, slope_of_division);
        return Dual<A>{A(here.loss), slope};
      });
    });
    return Team::reduce(sums, Plus{});
  }

  // The gradient of the part.
  __device__ void write_grad(const Statistics& statistics, const Sums& sums,
                             A slope_of_division) const {
    if (!sums.has_weight) return write_no_grad();
    const Outputs<T> outputs{nullptr, work.grad + begin(), source};
    if constexpr (Work::kIsSingle) {
      const A largest = fabs(work.slope_beside(A(1), statistics, A(sums.slope)));
      const bool is_in_range = largest <= kLargest<T>;
      slots.template each<Team>(run, [&](const Pack<T>& x, int64_t at) {
        Pack<A, kPack> slopes;
#pragma unroll
        for (int e = 0; e < kPack; ++e) {
          const A exponential = work.link.costly(load(x.of[e]), statistics);
          slopes.of[e] = work.slope_beside(exponential, statistics, A(sums.slope));
        }
        run.store(outputs.grad, at, rounded<T>(slopes, is_in_range));
      });
      // The thread that wrote the pack of the target mends it.
      const int64_t target = targets.column(0) - first;
      if (target >= 0 && target < run.size &&
          (target + run.shift) / kPack % Team::kSize == Team::rank()) {
        outputs.grad[target] = store<T>(slope_of_target);
      }
    } else {
      slots.template each<Team>(run, [&](const Pack<T>& x, int64_t at) {
        visit_pack(x, at, outputs, [&](A input, const Label<A>& label, const Place& place) {
          return Dual<A>{0, work.slope(input, label, place, statistics, sums, slope_of_division)};
        });
      });
    }
  }

  // Of a row of which no target counts.
  __device__ void write_nothing() const {
    write_zeros({work.per_element ? work.losses + begin() : nullptr,
                 work.grad ? work.grad + begin() : nullptr, source});
  }
  __device__ void write_no_grad() const { write_zeros({nullptr, work.grad + begin(), source}); }

  __device__ void write_row_loss(const Sums& sums) const {
    if (work.losses && !work.per_element && Team::rank() == 0) {
      work.losses[row.row] = work.row_loss(sums, source.read());
    }
  }

 private:
  __device__ int64_t begin() const { return row.begin + first; }

  __device__ void write_zeros(const Outputs<T>& outputs) const {
    for (int64_t i = Team::rank(); i < run.packs(); i += Team::kSize) {
      outputs.write(run, run.start(i), {}, {});
    }
  }

  // Writes the loss and the slope that `f(x, label, place)` has for each element of a pack.
  template <class F>
  __device__ void visit_pack(const Pack<T>& inputs, int64_t at, const Outputs<T>& outputs,
                             F&& f) const {
    if (run.is_whole(at)) {
      outputs.write_whole(run, at, inputs, targets, row.at(first + at), f);
      return;
    }
#pragma unroll 1
    for (int e = 0; e < kPack; ++e) {
      if (!run.holds(at + e)) continue;
      const Place place = row.at(first + at + e);
      outputs.write(at + e, f(load(run.begin[at + e]), targets.template label<A>(place), place));
    }
  }
};

}  // namespace culoss::cuda
