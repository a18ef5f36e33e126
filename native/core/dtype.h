// Element types: how each is stored, loaded and rounded. Store narrow, compute in `Compute<T>`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <type_traits>

#include "error.h"
#include "half.h"
#include "platform.h"

namespace culoss {

// The order is that of `dtypes` in lib/dtype.ts.
enum class Dtype : uint8_t { float32, float64, float16, bfloat16, int32, int64, uint8 };
constexpr int kDtypes = 7;

constexpr size_t bytes_per_element(Dtype dtype) {
  constexpr size_t kBytes[kDtypes] = {4, 8, 2, 2, 4, 8, 1};
  return kBytes[size_t(dtype)];
}

// Half types and float32 compute in float32, float64 in float64.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
struct Type {
  using type = T;
};

// Calls `f(Type<T>{})` with the C++ type of an inputs dtype.
template <class F>
void with_float_type(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::float32:
      return f(Type<float>{});
    case Dtype::float64:
      return f(Type<double>{});
    case Dtype::float16:
      return f(Type<float16>{});
    case Dtype::bfloat16:
      return f(Type<bfloat16>{});
    default:
      throw Error("ERR_DTYPE", "inputs: expected a floating-point dtype");
  }
}

template <class T>
HD Compute<T> load(T stored) {
  if constexpr (std::is_arithmetic_v<T>) {
    return stored;
  } else {
    return decode(stored);
  }
}

// Rounds once. A finite number beyond the range of a half type becomes its largest finite one,
// so that a gradient stays usable; infinity stays infinity.
template <class T, class A>
HD T store(A value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return T(value);
  } else {
#ifdef __CUDA_ARCH__
    T rounded = encode_on_device(value, T{});
#else
    T rounded = encode<T::kExponentBits>(value);
#endif
    const bool overflowed = (rounded.bits & 0x7fff) == T::kInfinity && !isinf(value);
    if (overflowed) rounded.bits -= 1;
    return rounded;
  }
}

// Memory of a dtype that is known at run time.
struct ConstArray {
  const void* memory = nullptr;
  Dtype dtype = Dtype::float32;
};

template <class A>
HD A load(const ConstArray& array, int64_t index) {
  switch (array.dtype) {
    case Dtype::float32:
      return A(static_cast<const float*>(array.memory)[index]);
    case Dtype::float64:
      return A(static_cast<const double*>(array.memory)[index]);
    case Dtype::float16:
      return A(decode(static_cast<const float16*>(array.memory)[index]));
    case Dtype::bfloat16:
      return A(decode(static_cast<const bfloat16*>(array.memory)[index]));
    case Dtype::int32:
      return A(static_cast<const int32_t*>(array.memory)[index]);
    case Dtype::int64:
      return A(static_cast<const int64_t*>(array.memory)[index]);
    case Dtype::uint8:
      return A(static_cast<const uint8_t*>(array.memory)[index]);
  }
  return A(NAN);
}

}  // namespace culoss
