#include "sweep.h"

#include <vector>

#include "../core/whole_row.h"
#include "../losses/dispatch.h"
#include "block.h"
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

  double* of(bool is_positive, int64_t quantity, int64_t column) const {
    return sums + table.offset(is_positive, quantity, column);
  }
  // Of one column.
  void add(bool is_positive, int64_t column, bool is_target, A weight, const Outcome<A>& outcome) {
    *of(is_positive, SweepTable::kCount, column) += is_target;
    if (weight == 0) return;  // not 0 · ∞
    *of(is_positive, SweepTable::kWeight, column) += double(weight);
    for (size_t g = 0; g < terms.size(); ++g) {
      *of(is_positive, SweepTable::kLosses + g, column) +=
          double(weight) * double(terms[g](outcome).value);
    }
  }
  // Of neighbouring columns from this one on, without how many there are.
  template <class V>
  void add_negatives(int64_t column, const V& weights, const Outcome<V>& outcome) {
    add_vector(of(false, SweepTable::kWeight, column), weights);
    for (size_t g = 0; g < terms.size(); ++g) {
      const V losses = select<V>(weights == V{}, V{}, weights * terms[g](outcome).value);
      add_vector(of(false, SweepTable::kLosses + g, column), losses);
    }
  }

 private:
  static void add_vector(double* to, double x) { *to += x; }
  static void add_vector(double* to, const Floats& x) {
    using Anywhere [[gnu::aligned(alignof(double)), gnu::may_alias]] = Doubles;
    const auto halves = to_doubles(x);
    Anywhere* const at = reinterpret_cast<Anywhere*>(to);
    for (size_t h = 0; h < halves.size(); ++h) at[h] = at[h] + halves[h];
  }
};

// The binary losses.
template <class T, class Link, class Target>
class Elements {
  using A = Compute<T>;
  using V = Vector<A>;
  static constexpr int kLanes = LanesOf<V>::kLanes;

 public:
  Elements(const Call& call, const Link& link, const Target& target)
      : call_(call), link_(link), target_(target), sides_(both_sides_of<A>(call)) {
    if (!is_plain()) return;
    auto sides = sides_;  // of a row whose own weight is 1
    sides.scale.sample_weight = {};
    for (int64_t c = 0; c < call.layout.columns; ++c) {
      weights_of_negatives_.push_back(sides(A(0), Place{0, c, c}).negative);
    }
  }

  // Rows are class ids with one weight each, along memory.
  bool is_plain() const {
    return std::is_same_v<Target, ClassIds> && call_.layout.inner == 1 &&
           !sides_.shares.smoothing.is_on() && call_.sample_weight.along != Along::elements;
  }

  void add_elements(int64_t begin, int64_t end, Tally<A> tally) const {
    Position position = call_.layout.position(begin);
    for (int64_t i = begin; i < end; ++i, position = call_.layout.next(position)) {
      const Place place = call_.layout.at(position);
      add_element(place, target_.row(place.row).template label<A>(place), tally);
    }
  }

  // Rows that are plain: all columns but one are negatives, vector by vector.
  void add_rows(int64_t begin, int64_t end, Tally<A> tally) const {
    int64_t counted = 0;
    for (int64_t r = begin; r < end; ++r) {
      const RowLayout row = call_.layout.row(r);
      const auto targets = target_.row(r);
      const int64_t id = targets.column(0);
      if (id < 0) continue;
      ++counted;
      add_negatives(row, id, tally);
      add_element(row.at(id), {1, true}, tally);
    }
    for (int64_t c = 0; c < call_.layout.columns; ++c) {
      *tally.of(false, SweepTable::kCount, c) +=
          double(counted) - *tally.of(true, SweepTable::kCount, c);
    }
  }

 private:
  void add_element(const Place& place, const Label<A>& label, Tally<A>& tally) const {
    if (!label.counts) return;
    const A x = input(place.offset);
    const Weights<A> weights = sides_(label.y, place);
    for (const bool is_positive : {true, false}) {
      const A weight = is_positive ? weights.positive : weights.negative;
      const bool is_target = is_positive ? label.y > 0 : label.y < 1;
      if (weight == 0 && !is_target) continue;
      tally.add(is_positive, place.column, is_target, weight,
                linked(x, Mask<A>(is_positive)).outcome);
    }
  }

  void add_negatives(const RowLayout& row, int64_t id, Tally<A>& tally) const {
    const A weight = call_.sample_weight.at<A>(row.at(0));
    const int64_t columns = call_.layout.columns, whole = columns / kLanes * kLanes;
    for (int64_t c = 0; c < whole; c += kLanes) {
      V x{}, weights = vector_at(weights_of_negatives_.data() + c) * weight;
      if constexpr (kLanes == 1) {
        x = input(row.begin + c);
        if (c == id) weights = 0;
      } else {
        for (int lane = 0; lane < kLanes; ++lane) x[lane] = input(row.begin + c + lane);
        if (c <= id && id < c + kLanes) weights[id - c] = 0;
      }
      add_vector(c, x, weights, tally);
    }
    for (int64_t c = whole; c < columns; ++c) {
      if (c == id) continue;
      add_vector(c, input(row.begin + c), weights_of_negatives_[size_t(c)] * weight, tally);
    }
  }
  template <class X>
  void add_vector(int64_t column, const X& x, const X& weights, Tally<A>& tally) const {
    tally.add_negatives(column, weights, linked(x, Mask<X>{}).outcome);
  }
  template <class X>
  auto linked(const X& x, const Mask<X>& is_positive) const {
    return link_(x, link_.costly(link_.begun(x, is_positive), is_positive), is_positive);
  }

  A input(int64_t offset) const { return load(static_cast<const T*>(call_.inputs)[offset]); }

  const Call& call_;
  const Link& link_;
  const Target& target_;
  const BothSides<A> sides_;
  std::vector<A> weights_of_negatives_;  // by column
};

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
  for (int64_t i = 0; i < parts; ++i) {
    for (int64_t k = 0; k < size; ++k) into[size_t(k)] += sums[size_t(i * size + k)];
  }
}

template <class T>
void fill(const Call& call, std::span<const double> gammas, std::span<double> into) {
  using A = Compute<T>;
  const Layout& layout = call.layout;
  std::vector<Focal<RealPower<A>>> terms;
  for (const double gamma : gammas) terms.push_back({{A(gamma)}});
  const SweepTable table{layout.columns, int64_t(gammas.size())};
  const auto tally = [&](double* sums) { return Tally<A>{table, terms, sums}; };
  with_link<T>(
      call.criterion,
      [&]<class Link>(const Link& link) {
        with_target(call, [&]<class Target>(const Target& target) {
          const Elements<T, Link, Target> elements(call, link, target);
          const bool is_plain = elements.is_plain();
          add_tables(is_plain ? layout.rows() : layout.elements(), is_plain ? layout.columns : 1,
                     into, [&](int64_t begin, int64_t end, double* sums) {
                       if constexpr (std::is_same_v<Target, ClassIds>) {
                         if (is_plain) return elements.add_rows(begin, end, tally(sums));
                       }
                       elements.add_elements(begin, end, tally(sums));
                     });
        });
      },
      [&](const auto& link) {
        add_tables(layout.rows(), layout.columns, into,
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
