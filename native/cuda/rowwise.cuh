// Losses of which the elements of a row hang together: a team of threads reads the row once, holds
// it, and writes its gradient once. The elements of a row lie next to one another.
#pragma once

#include "reduce.cuh"
#include "row_team.cuh"
#include "slots.cuh"
#include "teams.cuh"

namespace culoss::cuda {

// As many threads of a multiprocessor as still leave each enough registers.
template <class Slots, class Work>
constexpr bool kTakesFewRegisters = Work::kIsSingle && sizeof(typename Work::A) == 4 &&
                                    sizeof(Slots) <= 4 * kPackBytes;
// Large blocks would spill for a third one before 8.6.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 860
constexpr int kMostThreadsOfLarge = 512;
#else
constexpr int kMostThreadsOfLarge = 768;
#endif
template <class Team, class Slots, class Work>
constexpr int kResidentTeamBlocks = (!kTakesFewRegisters<Slots, Work> ? 512
                                     : Team::kBlock < 256             ? 768
                                                                      : kMostThreadsOfLarge) /
                                    Team::kBlock;

template <class Team, class Slots, class Work, class Out>
__global__ void __launch_bounds__(Team::kBlock, kResidentTeamBlocks<Team, Slots, Work>)
    rowwise_kernel(Work work, DivisionSource source, Sum<Out> sum_to) {
  const auto slope_of_division = typename Work::A(source.read().slope());
  Slots slots;
  double sum = 0;
  const int64_t rows = work.layout.rows(), stride = Team::teams();
  for (int64_t r = Team::index(); r < rows; r += stride) {
    RowTeam<Team, Slots, Work> team(work, source, slots, r, Team::part(), Team::parts());
    typename Work::Sums sums;
    if (!team.counts()) {
      team.write_nothing();
    } else {
      typename Work::Statistics statistics{};
      if constexpr (Work::kIsCoupled) {
        statistics = Work::Statistics::of(Team::across(team.take_in()));
      }
      sums = team.visit(statistics, slope_of_division);
      if constexpr (!Work::kIsSingle) sums = Team::across(sums);
      if constexpr (Work::kIsCoupled) {
        if (work.grad) team.write_grad(statistics, sums, slope_of_division);
      }
    }
    if (Team::part() != 0) continue;
    team.write_row_loss(sums);
    if (Team::rank() == 0) sum += sums.loss;
  }
  add_up<Team::kBlock>(sum, sum_to, source);
}

}  // namespace culoss::cuda
