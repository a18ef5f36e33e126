// Which kernel a call is computed by, and how many threads it gets.
#pragma once

#include <algorithm>

#include "../core/whole_row.h"
#include "../losses/dispatch.h"
#include "elementwise.cuh"
#include "rowwise.cuh"
#include "split_rows.cuh"
#include "thread_rows.cuh"

namespace culoss::cuda {

// Launches the kernels of one call.
struct Launcher {
  const Stream& stream;
  DivisionSource division;
  void* scalar;  // where mean and sum go, or null

  template <class T, class Term, class Link, class Sides, class Target>
  void elementwise(const Elementwise<T, Term, Link, Sides, Target>& work) const {
    using Work = Elementwise<T, Term, Link, Sides, Target>;
    // Of the first pack, a part may be before the first element.
    constexpr int kPack = kPackElements<T>;
    const int64_t elements = work.layout.elements() + kPack - 1;
    const int64_t blocks = tiles_of(elements, int64_t(kThreads) * kPacksAtOnce<Work> * kPack);
    run({"elementwise_kernel"}, elementwise_kernel<Work, Compute<T>>,
        {std::min(blocks, kMostElementwiseBlocks), kThreads}, work);
  }

  template <class T, class Term, class Link, class Target>
  void rowwise(const Rowwise<T, Term, Link, Target>& work) const {
    using Work = Rowwise<T, Term, Link, Target>;
    using A = Compute<T>;
    // Of class ids on probabilities, one element of a row is all there is to it.
    if constexpr (!Work::kIsLone) {
      if (work.layout.inner == 1) return by_teams(work);
    } else if (work.grad && work.layout.elements() > 0) {
      check(
          cudaMemsetAsync(work.grad, 0, size_t(work.layout.elements()) * sizeof(T), stream.handle),
          "cudaMemsetAsync");
    }
    run({"thread_rows_kernel"}, thread_rows_kernel<Work, A>,
        {tiles_of(work.layout.rows(), kThreads), kThreads}, work);
  }

 private:
  template <class Work>
  void by_teams(const Work& work) const {
    using T = typename Work::Stored;
    // The packs of a row, wherever it begins.
    constexpr int kPack = kPackElements<T>;
    const int64_t columns = work.layout.columns;
    const bool is_aligned =
        columns % kPack == 0 && reinterpret_cast<uintptr_t>(work.inputs) % kPackBytes == 0;
    const int64_t packs = tiles_of(is_aligned ? columns : columns + kPack - 1, kPack);
    if constexpr (Work::kIsCoupled) {
      held_rows(work, packs);
    } else if (packs <= 32) {
      whole_rows<Lanes<8>, Nowhere<T>>(work);
    } else {
      whole_rows<Block<kThreads>, Nowhere<T>>(work);
    }
  }

  // Threads of a block. Where every column has a loss of its own, it is the arithmetic that takes
  // the time, and one size does.
  template <class Work>
  static constexpr int kFew = Work::kIsSingle ? 128 : 256;
  static constexpr int kMany = 256;

  // The least team that can hold a row, while several of them still share a multiprocessor, so that
  // one reads while another writes. Rows that are too few to occupy the device are shared by more.
  template <class Work>
  void held_rows(const Work& work, int64_t packs) const {
    using T = typename Work::Stored;
    constexpr int64_t kShort = 16 << 10, kLong = 72 << 10;  // bytes
    const auto& [most, multiprocessors, has_clusters] = stream.device->limits;
    const auto bytes_of = [&](int parts) { return tiles_of(packs, parts) * int64_t(kPackBytes); };
    const int64_t rows = work.layout.rows();
    const bool are_few = parts_of(packs) > 1 && rows * 2 <= multiprocessors;
    if (packs <= 8) return whole_rows<Lanes<2>, Registers<T, 4>>(work);
    if constexpr (Work::kIsSingle) {
      if (packs <= 32) return whole_rows<Lanes<8>, Registers<T, 4>>(work);
      if (packs <= 128) return whole_rows<Lanes<32>, Registers<T, 4>>(work);
      if (packs <= 256) return whole_rows<Lanes<32>, Registers<T, 8>>(work);
    }
    if (!are_few && bytes_of(1) <= std::min(kShort, most)) {
      return whole_rows<Block<kFew<Work>>, Shared<T>>(work, bytes_of(1));
    }
    if (!are_few && bytes_of(1) <= std::min(kLong, most)) {
      return whole_rows<Block<kMany>, Shared<T>>(work, bytes_of(1));
    }
    if (has_clusters && rows * kMostParts > multiprocessors) {
      for (const int parts : {2, 4, kMostParts}) {
        if ((!are_few || parts == kMostParts) && bytes_of(parts) <= std::min(kLong, most)) {
          return clusters(work, parts, bytes_of(parts));
        }
      }
    }
    split_rows(work, packs);
  }
  static constexpr int kMostParts = 8;  // of a row in a cluster: as many as every device takes

  template <class Team, class Slots, class Work>
  void whole_rows(const Work& work, int64_t shared_bytes = 0) const {
    const int64_t blocks = tiles_of(work.layout.rows(), Team::kTeams);
    run({"rowwise_kernel"}, rowwise_kernel<Team, Slots, Work, typename Work::A>,
        {blocks, Team::kBlock, shared_bytes}, work);
  }

  template <class Work>
  void clusters(const Work& work, int size, int64_t shared_bytes) const {
    using Team = Cluster<kMany>;
    run({"rowwise_kernel"},
        rowwise_kernel<Team, Shared<typename Work::Stored>, Work, typename Work::A>,
        {std::min(work.layout.rows(), kMostBlocks / size) * size, Team::kBlock, shared_bytes, size},
        work);
  }

  template <class Work>
  void split_rows(const Work& work, int64_t packs) const {
    using A = typename Work::A;
    const int64_t parts = parts_of(packs), items = work.layout.rows() * parts;
    const Workspace<typename Work::Part> taken(stream, items);
    const Workspace<typename Work::Sums> visited(stream, Work::kIsSingle ? 0 : items);
    const Partials<Work> partials{unsigned(parts), taken.get(), visited.get()};
    const Grid grid{std::min(items, kMostBlocks), kThreads};
    if (items > 0) {
      launch("take_in_parts_kernel", take_in_parts_kernel<Work>, stream, grid, work, partials);
    }
    if constexpr (!Work::kIsSingle) {
      if (items > 0) {
        launch("visit_parts_kernel", visit_parts_kernel<Work>, stream, grid, work, partials,
               division);
      }
    }
    run({"write_parts_kernel"}, write_parts_kernel<Work, A>, grid, work, partials);
  }

  // A kernel with a sum; it takes the work, more that it may need, the division and the sum.
  template <class Kernel, class Work, class... More>
  void run(Site site, Kernel* kernel, Grid grid, const Work& work, const More&... more) const {
    using A = typename Work::A;
    if (work.layout.elements() == 0 && scalar == nullptr) return;
    grid.blocks = std::clamp<int64_t>(grid.blocks, grid.cluster, kMostBlocks);
    const Workspace<double> partials(stream, scalar ? grid.blocks : 0);
    const Sum<A> sum{partials.get(), &stream.words->blocks_done, static_cast<A*>(scalar)};
    launch(site, kernel, stream, grid, work, more..., division, sum);
  }
};

// Each dtype is compiled in a file of its own, side by side.
template <class T>
void launch_kernels(const Call& call, const Launcher& launcher) {
  with_loss<T>(call, launcher);
}

extern template void launch_kernels<float>(const Call&, const Launcher&);
extern template void launch_kernels<double>(const Call&, const Launcher&);
extern template void launch_kernels<float16>(const Call&, const Launcher&);
extern template void launch_kernels<bfloat16>(const Call&, const Launcher&);

}  // namespace culoss::cuda
