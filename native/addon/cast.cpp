// Conversion between dtypes on the host, with the rounding of the engines.
#include "../core/call.h"
#include "addon.h"
#include "guard.h"
#include "operand.h"

namespace culoss {
namespace {

// float64 to a half type, rounded once; a number beyond its range becomes infinity.
template <class T>
void encode_all(const Operand& source, const Operand& target) {
  const ConstArray numbers{source.memory, source.dtype};
  for (int64_t i = 0; i < source.size; ++i) {
    static_cast<T*>(target.memory)[i] = encode<T::kExponentBits>(load<double>(numbers, i));
  }
}

// cast(source: Operand, target: Operand): void
//
// To float64 from any dtype, to the half types from float64.
Napi::Value Cast(const Napi::CallbackInfo& info) {
  const Napi::Object operands = Napi::Object::New(info.Env());
  operands.Set("source", info[0]);
  operands.Set("target", info[1]);
  const Operand source = operand_from(operands, "source", Call::kCpu);
  const Operand target = operand_from(operands, "target", Call::kCpu);
  if (source.size != target.size) throw Error("ERR_SHAPE", "target: expected as many elements");
  switch (target.dtype) {
    case Dtype::float64:
      for (int64_t i = 0; i < source.size; ++i) {
        static_cast<double*>(target.memory)[i] =
            load<double>(ConstArray{source.memory, source.dtype}, i);
      }
      break;
    case Dtype::float16:
      encode_all<float16>(source, target);
      break;
    case Dtype::bfloat16:
      encode_all<bfloat16>(source, target);
      break;
    default:
      throw Error("ERR_DTYPE", "target: expected float64, float16 or bfloat16");
  }
  return info.Env().Undefined();
}

}  // namespace

void InitCast(Napi::Env, Napi::Object exports) { export_function<Cast>(exports, "cast"); }

}  // namespace culoss
