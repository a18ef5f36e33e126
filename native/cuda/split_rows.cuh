// Rows that are longer than a team can hold, or too few to fill the device: cut into parts, in
// launches that leave their partials to the next one. The row is read twice for its gradient, and
// once more for losses of which every column has a part.
#pragma once

#include "reduce.cuh"
#include "row_team.cuh"
#include "slots.cuh"
#include "teams.cuh"

namespace culoss::cuda {

constexpr int kPacksOfPart = 4;
using PartTeam = Block<kThreads>;
template <class T>
using PartSlots = Registers<T, kPacksOfPart>;

inline int64_t parts_of(int64_t packs) { return tiles_of(packs, kThreads * kPacksOfPart); }

// What is left between the launches; an item is a part of a row. They are counted in 32 bits: each
// has 8 KiB or more.
template <class Work>
struct Partials {
  unsigned parts;                // of a row
  typename Work::Part* taken;    // (rows, parts)
  typename Work::Sums* visited;  // (rows, parts), or null where a row has a single loss

  // The sum of what the parts of a row have, handed to all threads.
  template <class V>
  __device__ V of_row(const V* partials, int64_t row) const {
    V sum{};
    for (unsigned p = threadIdx.x; p < parts; p += kThreads) sum = sum + partials[row * parts + p];
    return PartTeam::reduce(sum, Plus{});
  }
  __device__ typename Work::Statistics statistics(int64_t row) const {
    return Work::Statistics::of(of_row(taken, row));
  }
};

template <class Work>
using PartOfRow = RowTeam<PartTeam, PartSlots<typename Work::Stored>, Work>;

template <class Work>
__global__ void __launch_bounds__(kThreads, 2)
    take_in_parts_kernel(Work work, Partials<Work> partials) {
  PartSlots<typename Work::Stored> slots;
  const DivisionSource none{{1, 0}};
  for (unsigned i = blockIdx.x; i < work.layout.rows() * partials.parts; i += gridDim.x) {
    const unsigned row = i / partials.parts, part = i % partials.parts;
    PartOfRow<Work> team(work, none, slots, row, part, partials.parts);
    if (!team.counts()) continue;
    const auto taken = team.take_in();
    if (threadIdx.x == 0) partials.taken[i] = taken;
  }
}

template <class Work>
__global__ void __launch_bounds__(kThreads, 2)
    visit_parts_kernel(Work work, Partials<Work> partials, DivisionSource source) {
  const auto slope_of_division = typename Work::A(source.read().slope());
  Nowhere<typename Work::Stored> slots;
  for (unsigned i = blockIdx.x; i < work.layout.rows() * partials.parts; i += gridDim.x) {
    const unsigned row = i / partials.parts, part = i % partials.parts;
    RowTeam<PartTeam, decltype(slots), Work> team(work, source, slots, row, part, partials.parts);
    if (!team.counts()) continue;
    const auto sums = team.visit(partials.statistics(row), slope_of_division);
    if (threadIdx.x == 0) partials.visited[i] = sums;
  }
}

template <class Work, class Out>
__global__ void __launch_bounds__(kThreads, 2)
    write_parts_kernel(Work work, Partials<Work> partials, DivisionSource source, Sum<Out> sum_to) {
  const auto slope_of_division = typename Work::A(source.read().slope());
  Nowhere<typename Work::Stored> slots;
  double sum = 0;
  // Where no gradient is wanted and no element has a loss of its own, a row has one part to write.
  const unsigned parts = work.grad || work.per_element ? partials.parts : 1;
  for (unsigned i = blockIdx.x; i < work.layout.rows() * parts; i += gridDim.x) {
    const unsigned row = i / parts, part = i % parts;
    RowTeam<PartTeam, decltype(slots), Work> team(work, source, slots, row, part, parts);
    typename Work::Sums sums;
    if (!team.counts()) {
      team.write_nothing();
    } else {
      const auto statistics = partials.statistics(row);
      sums = partials.visited ? partials.of_row(partials.visited, row)
                              : team.visit(statistics, slope_of_division);
      if (work.grad) team.write_grad(statistics, sums, slope_of_division);
    }
    if (part != 0) continue;
    team.write_row_loss(sums);
    if (threadIdx.x == 0) sum += sums.loss;
  }
  add_up<kThreads>(sum, sum_to, source);
}

}  // namespace culoss::cuda
