// Element types: how each is stored, loaded and rounded. Store narrow, compute in `Compute<T>`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <type_traits>

#include "error.h"
#include "half.h"
#include "pack.h"
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

template <class A, class T>
HD A as(T stored) {
  if constexpr (std::is_arithmetic_v<T>) {
    return A(stored);
  } else {
    return A(decode(stored));
  }
}

template <class T>
HD Compute<T> load(T stored) {
  return as<Compute<T>>(stored);
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

// Calls `f(elements)` with a pointer to the elements of their type.
template <class F>
HD void with_elements(const ConstArray& array, F&& f) {
  switch (array.dtype) {
    case Dtype::float32:
      return f(static_cast<const float*>(array.memory));
    case Dtype::float64:
      return f(static_cast<const double*>(array.memory));
    case Dtype::float16:
      return f(static_cast<const float16*>(array.memory));
    case Dtype::bfloat16:
      return f(static_cast<const bfloat16*>(array.memory));
    case Dtype::int32:
      return f(static_cast<const int32_t*>(array.memory));
    case Dtype::int64:
      return f(static_cast<const int64_t*>(array.memory));
    case Dtype::uint8:
      return f(static_cast<const uint8_t*>(array.memory));
  }
}

template <class A>
HD A load(const ConstArray& array, int64_t index) {
  A found = A(NAN);
  with_elements(array, [&](const auto* elements) { found = as<A>(elements[index]); });
  return found;
}

// The `n` elements from `index` on: in packs where they lie so.
template <int n, class A>
HD void load(const ConstArray& array, int64_t index, A (&to)[n]) {
  with_elements(array, [&]<class T>(const T* elements) {
    using Packed = Pack<T, n>;
    if (reinterpret_cast<uintptr_t>(elements + index) % alignof(Packed) == 0) {
      const Packed pack = *reinterpret_cast<const Packed*>(elements + index);
      for (int e = 0; e < n; ++e) to[e] = as<A>(pack.of[e]);
    } else {
      for (int e = 0; e < n; ++e) to[e] = as<A>(elements[index + e]);
    }
  });
}

}  // namespace culoss
