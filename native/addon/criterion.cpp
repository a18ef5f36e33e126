// A criterion: options read once, then numbers and operands for each call.
#include <array>
#include <span>

#include "../cpu/background.h"
#include "../cpu/engine.h"
#include "../cpu/sweep.h"
#include "../cuda/engine.h"
#include "addon.h"
#include "guard.h"
#include "jobs.h"
#include "operand.h"

namespace culoss {
namespace {

// The position of `object[name]` in `names`, which are in the order of the enumeration.
template <class E>
E enum_from(const Napi::Object& object, const char* name,
            std::initializer_list<const char*> names) {
  const std::string value = object.Get(name).ToString();
  int position = 0;
  for (const char* candidate : names) {
    if (value == candidate) return E(position);
    ++position;
  }
  throw Error("ERR_OPTION", std::string(name) + ": unknown value " + value);
}

double number_from(const Napi::Object& object, const char* name) {
  return object.Get(name).ToNumber().DoubleValue();
}

Ignored ignored_from(const Napi::Object& options) {
  const Napi::Value value = options.Get("ignoreIndex");
  if (value.IsUndefined()) return {};
  return {.any = true, .value = value.ToNumber().Int64Value()};
}

Criterion criterion_from(const Napi::Object& options) {
  return {
      .term = enum_from<TermKind>(options, "term", {"cross-entropy", "focal"}),
      .sides = enum_from<SidesKind>(options, "sides", {"targets", "both"}),
      .link = enum_from<LinkKind>(options, "link", {"probability", "sigmoid", "softmax"}),
      .reduction = enum_from<Reduction>(options, "reduction", {"mean", "sum", "none", "matrix"}),
      .normalizer = enum_from<Normalizer>(options, "normalizer",
                                          {"targets", "elements", "rows", "positives", "given"}),
      .negatives = enum_from<Negatives>(options, "negatives", {"complement", "zero-targets"}),
      .validate = enum_from<Validate>(options, "validate", {"deferred", "eager", "off"}),
      .gamma = number_from(options, "gamma"),
      .clamp_low = number_from(options, "clampLow"),
      .clamp_high = number_from(options, "clampHigh"),
      .label_smoothing = number_from(options, "labelSmoothing"),
      .ignored = ignored_from(options),
      .value_of_empty = number_from(options, "valueOfEmpty"),
  };
}

void expect_size(const char* name, int64_t expected, const Operand& operand) {
  if (operand.size == expected) return;
  throw Error("ERR_SHAPE", std::string(name) + ": expected " + std::to_string(expected) +
                               " elements, got " + std::to_string(operand.size));
}

// The arguments of a call: numbers, then operands. Reading them by position takes a tenth of the
// time that names would take. Behind the numbers listed are dtype and size of each operand.
enum Number { kDevice, kOuter, kColumns, kInner, kIsDense, kFirstOperand };
enum Position {
  kInputs,
  kTargets,
  kAlpha,
  kWeight,
  kPosWeight,
  kNormalizer,
  kSampleWeight,
  kGradOutput,
  kOut,
  kOutGrad,
  kOperands
};
constexpr const char* kNames[kOperands] = {"inputs",    "targets",    "alpha",        "weight",
                                           "posWeight", "normalizer", "sampleWeight", "gradOutput",
                                           "out",       "outGrad"};

// Reads the arguments of a call and makes sure of every byte that an engine will touch.
class CallReader {
 public:
  // Of arguments from the position `first` on.
  CallReader(const Criterion& criterion, const Napi::CallbackInfo& arguments, size_t first = 0)
      : arguments_(arguments), first_(first), numbers_(numbers_from(arguments[first])), call_{} {
    call_.criterion = criterion;
    call_.device = int(numbers_[kDevice]);
    call_.layout = {count_from(numbers_[kOuter], "outer"),
                    count_from(numbers_[kColumns], "columns"),
                    count_from(numbers_[kInner], "inner")};
    if (call_.layout.columns < 1 || call_.layout.inner < 1) {
      throw Error("ERR_SHAPE", "columns, inner: expected at least 1");
    }
    checked_bytes(call_.layout, Dtype::float64);
  }

  Call read() {
    const Operand inputs = input(kInputs, elements());
    call_.dtype = inputs.dtype;
    call_.inputs = inputs.memory;
    const bool is_dense = numbers_[kIsDense] != 0;
    call_.target_kind = is_dense ? TargetKind::dense : TargetKind::class_ids;
    const Operand targets = input(kTargets, is_dense ? elements() : rows());
    call_.targets = {targets.memory, targets.dtype};
    call_.has_alpha = has(kAlpha);
    call_.alpha = per_class(kAlpha);
    call_.weight = per_class(kWeight);
    call_.pos_weight = per_class(kPosWeight);
    call_.sample_weight = sample_weight();
    call_.divisor = broadcast(kNormalizer, Along::nothing, Along::nothing);
    call_.grad_output = broadcast(kGradOutput, along_of_loss(), along_of_loss());
    call_.loss = output(kOut, length_along(along_of_loss()), loss_dtype());
    if (has(kOutGrad)) call_.grad = output(kOutGrad, elements(), call_.dtype);
    return call_;
  }

  // The memory on a device that the call touches.
  std::span<const cuda::Use> uses() const { return {uses_.data(), used_}; }

 private:
  int64_t rows() const { return call_.layout.rows(); }
  int64_t elements() const { return call_.layout.elements(); }
  Napi::Value argument(Position position) const {
    return arguments_[first_ + 1 + size_t(position)];
  }
  bool has(Position position) const { return !argument(position).IsUndefined(); }

  static const double* numbers_from(const Napi::Value& value) {
    constexpr size_t kNumbers = kFirstOperand + 2 * kOperands;
    const std::span<double> numbers = elements_from<double>(value, "numbers");
    if (numbers.size() < kNumbers) {
      throw Error("ERR_DTYPE", "numbers: expected " + std::to_string(kNumbers) + " of float64");
    }
    return numbers.data();
  }

  bool loss_is_per_row() const {
    return call_.criterion.reduction == Reduction::none &&
           call_.criterion.sides == SidesKind::targets;
  }
  Along along_of_loss() const {
    return call_.is_scalar() ? Along::nothing : loss_is_per_row() ? Along::rows : Along::elements;
  }
  int64_t length_along(Along along) const {
    switch (along) {
      case Along::nothing:
        return 1;
      case Along::rows:
        return rows();
      case Along::columns:
        return call_.layout.columns;
      case Along::elements:
        return elements();
    }
    throw Error("ERR_SHAPE", "along: expected a known axis");
  }
  Dtype loss_dtype() const {
    return call_.dtype == Dtype::float64 ? Dtype::float64 : Dtype::float32;
  }

  Operand operand(Position position) const {
    const double* const facts = numbers_ + kFirstOperand + 2 * position;
    return operand_from(argument(position), facts[0], facts[1], kNames[position], call_.device);
  }
  Operand remembered(Position position) {
    const Operand found = operand(position);
    remember(kNames[position], found, false);
    return found;
  }

  Operand input(Position position, int64_t size) {
    const Operand found = remembered(position);
    expect_size(kNames[position], size, found);
    return found;
  }

  // Memory that is written must not be read meanwhile, nor be written as another output.
  void* output(Position position, int64_t size, Dtype dtype) {
    const char* const name = kNames[position];
    const Operand found = operand(position);
    expect_size(name, size, found);
    if (found.dtype != dtype) throw Error("ERR_DTYPE", std::string(name) + ": wrong dtype");
    for (const Range& other : ranges_) {
      if (!other.overlaps(range_of(name, found))) continue;
      throw Error("ERR_OPTION",
                  std::string(name) +
                      ": expected memory of its own, got memory that it shares with " + other.name);
    }
    remember(name, found, true);
    return found.memory;
  }

  // A number, or an array that has one of two lengths, the first that fits; 1 if it is absent.
  Broadcast broadcast(Position position, Along first, Along second) {
    const Napi::Value value = argument(position);
    if (value.IsUndefined()) return {};
    if (value.IsNumber()) return {.number = value.As<Napi::Number>().DoubleValue()};
    const Operand found = remembered(position);
    const Along along = found.size == length_along(first) ? first : second;
    expect_size(kNames[position], length_along(along), found);
    return {.array = {found.memory, found.dtype}, .along = along};
  }

  Broadcast per_class(Position position) {
    return broadcast(position, Along::nothing, Along::columns);
  }
  Broadcast sample_weight() {
    const bool by_element = call_.criterion.sides == SidesKind::both;
    return broadcast(kSampleWeight, Along::rows, by_element ? Along::elements : Along::rows);
  }

  struct Range {
    const char* name;
    uintptr_t begin;
    uintptr_t end;

    bool overlaps(const Range& other) const { return begin < other.end && other.begin < end; }
  };

  static Range range_of(const char* name, const Operand& operand) {
    const auto begin = reinterpret_cast<uintptr_t>(operand.memory);
    return {name, begin, begin + size_t(operand.size) * bytes_per_element(operand.dtype)};
  }

  void remember(const char* name, const Operand& operand, bool is_written) {
    ranges_.at(known_++) = range_of(name, operand);
    if (operand.owner) uses_.at(used_++) = {operand.owner, is_written};
  }

  const Napi::CallbackInfo& arguments_;
  const size_t first_;
  const double* const numbers_;
  Call call_;
  std::array<Range, kOperands> ranges_{};  // of the operands so far; an empty one overlaps nothing
  size_t known_ = 0;
  std::array<cuda::Use, kOperands> uses_{};
  size_t used_ = 0;
};

class CriterionObject : public Napi::ObjectWrap<CriterionObject> {
 public:
  // constructor(options: CriterionOptions)
  explicit CriterionObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<CriterionObject>(info) {
    guarded(info.Env(), [&] { criterion_ = criterion_from(info[0].ToObject()); });
  }

  // run(...call: CallArguments): void
  void run(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      CallReader reader(criterion_, info);
      const Call call = reader.read();
      cuda::expect_device_of_capture(call.device);
      call.device == Call::kCpu ? cpu::run(call) : cuda::run(call, reader.uses());
    });
  }

  // check(...call: CallArguments): void
  void check(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      const Call call = CallReader(criterion_, info).read();
      if (call.device != Call::kCpu && criterion_.validate == Validate::eager) {
        cuda::expect_no_capture("validate: 'eager', which waits");
      }
    });
  }

  // start(done: Done, ...call: CallArguments): Stop
  Napi::Value start(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Call call = CallReader(criterion_, info, 1).read();
      if (call.device != Call::kCpu) throw Error("ERR_DEVICE", "start: expected a call on the CPU");
      cuda::expect_device_of_capture(call.device);
      const Napi::Array held = Napi::Array::New(info.Env());
      for (size_t i = 2; i < info.Length(); ++i) held[uint32_t(i)] = info[i];
      const auto work = [call, &by = cpu::instruction_set()] { cpu::run(call, by); };
      const auto stop =
          Jobs::of(info.Env())
              .start(std::make_shared<cpu::Job>(work), info[0].As<Napi::Function>(), held);
      return Napi::Function::New(info.Env(), [stop](const Napi::CallbackInfo&) { stop(); });
    });
  }

  // sweep(gammas: Float64Array, into: Float64Array, ...call: CallArguments): number
  Napi::Value sweep(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Call call = CallReader(criterion_, info, 2).read();
      if (call.device != Call::kCpu) throw Error("ERR_DEVICE", "sweep: expected a call on the CPU");
      cuda::expect_device_of_capture(call.device);
      const auto gammas = elements_from<double>(info[0], "gammas"),
                 into = elements_from<double>(info[1], "into");
      const cpu::SweepTable table{call.layout.columns, int64_t(gammas.size())};
      if (into.size() != table.size()) {
        throw Error("ERR_SHAPE", "into: expected a table of each side, class and gamma");
      }
      return Napi::Number::New(info.Env(), cpu::sweep(call, gammas, into));
    });
  }

 private:
  Criterion criterion_{};
};

}  // namespace

void InitCriterion(Napi::Env env, Napi::Object exports) {
  using C = CriterionObject;
  exports.Set("Criterion",
              C::DefineClass(
                  env, "Criterion",
                  {C::InstanceMethod<&C::run>("run"), C::InstanceMethod<&C::check>("check"),
                   C::InstanceMethod<&C::start>("start"), C::InstanceMethod<&C::sweep>("sweep")}));
}

}  // namespace culoss
