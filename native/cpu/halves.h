// Numbers of 16 bits as floats and back, as `load` and `store` do it one by one: for float16 by
// instructions for it, where a machine has them.
#pragma once

#include <math.h>

#include "../core/dtype.h"
#include "../core/math.h"

namespace culoss::cpu {

#ifdef __F16C__
using HalfBits [[gnu::vector_size(kVectorBytes / 2)]] = uint16_t;

inline Floats widened(const HalfBits& bits) {
#ifdef __AVX512F__
  return Floats(_mm512_maskz_cvtph_ps(0xffff, __m256i(bits)));
#else
  return Floats(_mm256_cvtph_ps(__m128i(bits)));
#endif
}
inline HalfBits narrowed(const Floats& x) {
#ifdef __AVX512F__
  return HalfBits(_mm512_maskz_cvtps_ph(0xffff, __m512(x), _MM_FROUND_TO_NEAREST_INT));
#else
  return HalfBits(_mm256_cvtps_ph(__m256(x), _MM_FROUND_TO_NEAREST_INT));
#endif
}
// The nearest number that `narrowed` does not make an infinity; infinity itself and NaN stay.
inline Floats within_float16(const Floats& x) {
  const Floats size = magnitude(x), infinity = all<Floats>(INFINITY);
  const Floats beyond = select<Floats>(size == infinity, infinity, all<Floats>(NAN));
  const Floats kept =
      select<Floats>(size < infinity, smaller(size, all<Floats>(float16::kLargest)), beyond);
  return of_bits<Floats>(bits_of(kept) | (bits_of(x) & 0x80000000u));
}

// Converts the vectors `X` that n numbers fill; returns how many numbers those are.
template <class X, class T, class U, class F>
int convert_vectors(const T* from, int n, U* to, F&& convert) {
  constexpr int kLanes = LanesOf<Floats>::kLanes;
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    X x;
    __builtin_memcpy(&x, from + i, sizeof x);
    const auto converted = convert(x);
    __builtin_memcpy(to + i, &converted, sizeof converted);
  }
  return i;
}
#endif

template <class T>
void widen(const T* from, int n, float* to) {
  int i = 0;
#ifdef __F16C__
  if constexpr (std::is_same_v<T, float16>) {
    i = convert_vectors<HalfBits>(from, n, to, [](const HalfBits& bits) { return widened(bits); });
  }
#endif
  for (; i < n; ++i) to[i] = load(from[i]);
}

template <class T>
void narrow(const float* from, int n, T* to) {
  int i = 0;
#ifdef __F16C__
  if constexpr (std::is_same_v<T, float16>) {
    i = convert_vectors<Floats>(from, n, to,
                                [](const Floats& x) { return narrowed(within_float16(x)); });
  }
#endif
  for (; i < n; ++i) to[i] = store<T>(from[i]);
}

}  // namespace culoss::cpu
