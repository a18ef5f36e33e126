#include "sweep.h"

#include <vector>

#include "../core/whole_row.h"
#include "../losses/dispatch.h"
#include "reduce.h"
#include "targets.h"

namespace culoss::cpu {
namespace {

// The table of some of the elements of a call.
template <class A>
struct Tally {
  SweepTable table;
  std::span<const Focal<RealPower<A>>> terms;
  double* sums;

  template <bool kIsFinite>
  void add(bool is_positive, int64_t column, bool is_target, A weight,
           const Outcome<A, kIsFinite>& outcome) {
    double* const of = sums + table.offset(is_positive, column);
    of[0] += is_target;
    if (weight == 0) return;  // not 0 · ∞
    of[1] += double(weight);
    for (size_t g = 0; g < terms.size(); ++g) {
      of[SweepTable::kCounts + g] += double(weight) * double(terms[g](outcome).value);
    }
  }
};

// The binary losses: elements [begin, end) of a call.
template <class T, class Link>
void add_elements(const Call& call, const Link& link, int64_t begin, int64_t end,
                  Tally<Compute<T>> tally) {
  using A = Compute<T>;
  const auto sides = both_sides_of<A>(call);
  const AnyTarget target = any_target(call);
  Position position = call.layout.position(begin);
  for (int64_t i = begin; i < end; ++i, position = call.layout.next(position)) {
    const Place place = call.layout.at(position);
    const Label<A> label = target.row(place.row).template label<A>(place);
    if (!label.counts) continue;
    const A x = load(static_cast<const T*>(call.inputs)[i]), given = link.given(x);
    const Weights<A> weights = sides(label.y, place);
    for (const bool is_positive : {true, false}) {
      const A weight = is_positive ? weights.positive : weights.negative;
      const bool is_target = is_positive ? label.y > 0 : label.y < 1;
      if (weight == 0 && !is_target) continue;
      const A costly = link.costly(given, is_positive);
      const auto outcome = link(x, given, costly, is_positive).outcome;
      tally.add(is_positive, place.column, is_target, weight, outcome);
    }
  }
}

// The categorical losses: rows [begin, end) of a call.
template <class T, class Link>
void add_rows(const Call& call, const Link& link, int64_t begin, int64_t end,
              Tally<Compute<T>> tally) {
  using A = Compute<T>;
  const Rowwise<T, CrossEntropy, Link, AnyTarget> work{
      .link = link,
      .sides = targets_only_of<A>(call),
      .target = any_target(call),
      .layout = call.layout,
      .inputs = static_cast<const T*>(call.inputs)};
  const bool is_spread = work.sides.smoothing.is_on();
  const int64_t width = is_spread ? call.layout.columns : work.target.width();
  for (int64_t r = begin; r < end; ++r) {
    const RowLayout row = call.layout.row(r);
    const auto targets = work.target.row(r);
    if (!work.counts(row, targets)) continue;
    const auto statistics = statistics_of(work, row);
    for (int64_t k = 0; k < width; ++k) {
      const Place place = row.at(is_spread ? k : targets.column(k));
      const A y = targets.template label<A>(place).y, x = input_at(work, place);
      const A weight = work.sides(y, place);
      if (weight == 0 && !(y > 0)) continue;
      const auto outcome = link(x, link.costly(x, statistics), statistics).outcome;
      tally.add(true, place.column, y > 0, weight, outcome);
    }
  }
}

// Doubles that partial tables take together, at most. How many those are fixes the order of the
// sums, so it must not depend on the number of threads.
constexpr int64_t kMostPartials = 1 << 23;

// Calls `f(begin, end, sums)` for parts of [0, count), each with a table of its own, and adds
// those.
template <class F>
void add_tables(int64_t count, int64_t elements, std::span<double> into, F&& f) {
  const int64_t size = int64_t(into.size());
  const int64_t most = std::clamp<int64_t>(kMostPartials / size, 1, 64);
  const int64_t parts = std::clamp<int64_t>(count * elements / kChunk, 1, most);
  std::vector<double> sums(size_t(parts * size));
  parallel_for(parts, parts, [&](int64_t i) {
    f(i * count / parts, (i + 1) * count / parts, sums.data() + i * size);
  });
  std::fill(into.begin(), into.end(), 0.0);
  for (size_t i = 0; i < sums.size(); ++i) into[i % into.size()] += sums[i];
}

template <class T>
void fill(const Call& call, std::span<const double> gammas, std::span<double> into) {
  using A = Compute<T>;
  std::vector<Focal<RealPower<A>>> terms;
  for (const double gamma : gammas) terms.push_back({{A(gamma)}});
  const SweepTable table{call.layout.columns, int64_t(gammas.size())};
  const auto tally = [&](double* sums) { return Tally<A>{table, terms, sums}; };
  with_link<T>(
      call.criterion,
      [&](const auto& link) {
        add_tables(call.layout.elements(), 1, into, [&](int64_t begin, int64_t end, double* sums) {
          add_elements<T>(call, link, begin, end, tally(sums));
        });
      },
      [&](const auto& link) {
        const int64_t columns = call.layout.columns;
        add_tables(call.layout.rows(), columns, into,
                   [&](int64_t begin, int64_t end, double* sums) {
                     add_rows<T>(call, link, begin, end, tally(sums));
                   });
      });
}

}  // namespace

double sweep(const Call& given, std::span<const double> gammas, std::span<double> into) {
  Call call = given;
  call.has_alpha = false;
  call.alpha = {};
  if (call.target_kind == TargetKind::class_ids) check_class_ids(call);
  const double divisor = divisor_of(call);
  with_float_type(call.dtype, [&]<class T>(Type<T>) { fill<T>(call, gammas, into); });
  return divisor;
}

}  // namespace culoss::cpu
