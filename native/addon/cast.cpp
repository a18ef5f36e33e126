// Copies on the host, and conversion between dtypes with the rounding of the engines.
#include "../core/call.h"
#include "../cpu/copy.h"
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
  const auto operand = [&](size_t i, const char* name) {
    const Napi::Object object = info[i].ToObject();
    const auto number = [&](const char* key) { return object.Get(key).ToNumber().DoubleValue(); };
    return operand_from(object.Get("memory"), number("dtype"), number("size"), name, Call::kCpu);
  };
  const Operand source = operand(0, "source"), target = operand(1, "target");
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

// copy(source: HostMemory, target: HostMemory): void
Napi::Value Copy(const Napi::CallbackInfo& info) {
  const Bytes source = host_bytes(info[0], "source"), target = host_bytes(info[1], "target");
  if (source.size != target.size) throw Error("ERR_SHAPE", "target: expected as many bytes");
  if (source.size > 0) cpu::copy(target.memory, source.memory, source.size);
  return info.Env().Undefined();
}

}  // namespace

void InitCast(Napi::Env, Napi::Object exports) {
  export_function<Cast>(exports, "cast");
  export_function<Copy>(exports, "copy");
}

}  // namespace culoss
