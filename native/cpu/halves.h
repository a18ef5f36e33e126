// Numbers of 16 bits as floats and back, as `load` and `store` do it one by one: vectors of
// bfloat16, and of float16 where a machine has instructions for it.
#pragma once

#include "../core/dtype.h"
#include "../core/math.h"

namespace culoss::cpu {

using HalfBits [[gnu::vector_size(kVectorBytes / 2)]] = uint16_t;

#ifdef __F16C__
template <class T>
constexpr bool kHasVectors = true;

inline Floats widened(const HalfBits& bits, float16) {
#ifdef __AVX512F__
  return Floats(_mm512_maskz_cvtph_ps(0xffff, __m256i(bits)));
#else
  return Floats(_mm256_cvtph_ps(__m128i(bits)));
#endif
}
inline HalfBits narrowed(const Floats& x, float16) {
#ifdef __AVX512F__
  return HalfBits(_mm512_maskz_cvtps_ph(0xffff, __m512(x), _MM_FROUND_TO_NEAREST_INT));
#else
  return HalfBits(_mm256_cvtps_ph(__m256(x), _MM_FROUND_TO_NEAREST_INT));
#endif
}
#else
template <class T>
constexpr bool kHasVectors = std::is_same_v<T, bfloat16>;
#endif

inline Floats widened(const HalfBits& bits, bfloat16) {
  return of_bits<Floats>(__builtin_convertvector(bits, Bits<Floats>) << 16);
}
// Of numbers.
inline HalfBits narrowed(const Floats& x, bfloat16) {
  const Bits<Floats> bits = bits_of(x), half_to_even = 0x7fff + (bits >> 16 & 1);
  return __builtin_convertvector((bits + half_to_even) >> 16, HalfBits);
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

// The same of numbers that stay finite; none, if there are others.
template <class T>
int narrow_vectors(const float* from, int n, T* to) {
  constexpr uint32_t kHalfOfLast = 1u << (22 - T::kFractionBits);
  constexpr uint32_t kLeastInfinite = bits_of(T::kLargest) + kHalfOfLast;
  Bits<Floats> most{};
  const int narrow = convert_vectors<Floats>(from, n, to, [&](const Floats& x) {
    most = larger(most, bits_of(x) << 1);
    return narrowed(x, T{});
  });
  return are_all<Floats>(most < kLeastInfinite << 1) ? narrow : 0;
}

template <class T>
void widen(const T* from, int n, float* to) {
  int i = 0;
  if constexpr (kHasVectors<T>) {
    i = convert_vectors<HalfBits>(from, n, to, [](const auto& bits) { return widened(bits, T{}); });
  }
  for (; i < n; ++i) to[i] = load(from[i]);
}

template <class T>
void narrow(const float* from, int n, T* to) {
  int i = 0;
  if constexpr (kHasVectors<T>) i = narrow_vectors(from, n, to);
  for (; i < n; ++i) to[i] = store<T>(from[i]);
}

}  // namespace culoss::cpu
