// Several numbers that are computed as one: a formula that is written for a number, with `?:` in
// the place of branches, holds for a vector of the machine, too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <bit>
#include <type_traits>
#include <utility>

#if (defined(__AVX__) || defined(__FMA__)) && !defined(__CUDACC__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && !defined(__CUDACC__)
#include <arm_neon.h>
#endif

#include "platform.h"

namespace culoss {

// Of a number: the types of its comparisons and of its bits.
template <class A>
struct LanesOf {
  using Scalar = A;
  using Mask = bool;
  using Int = std::conditional_t<sizeof(A) == 8, int64_t, int32_t>;
  using Unsigned = std::make_unsigned_t<Int>;
  static constexpr int kLanes = 1;
};

#ifndef __CUDACC__
#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

using Floats [[gnu::vector_size(kVectorBytes)]] = float;
using Ints [[gnu::vector_size(kVectorBytes)]] = int32_t;
using Unsigneds [[gnu::vector_size(kVectorBytes)]] = uint32_t;
using Doubles [[gnu::vector_size(kVectorBytes)]] = double;
using Longs [[gnu::vector_size(kVectorBytes)]] = int64_t;
using UnsignedLongs [[gnu::vector_size(kVectorBytes)]] = uint64_t;
using HalfOfFloats [[gnu::vector_size(kVectorBytes / 2)]] = float;

using IndicesOfHalf = std::make_index_sequence<kVectorBytes / sizeof(double)>;

// `__builtin_convertvector` would take more instructions.
inline Doubles widened(const HalfOfFloats& x) {
#if defined(__AVX512F__)
  return Doubles(_mm512_maskz_cvtps_pd(0xff, __m256(x)));  // g++ 12 warns of it without a mask
#elif defined(__AVX__)
  return Doubles(_mm256_cvtps_pd(__m128(x)));
#else
  return __builtin_convertvector(x, Doubles);
#endif
}
// Both halves of a vector, and back. Not by `bit_cast`, which would keep the vector in memory.
template <size_t... lanes>
inline std::array<Doubles, 2> to_doubles(const Floats& x, std::index_sequence<lanes...>) {
  constexpr size_t kHalf = sizeof...(lanes);
  return {widened(__builtin_shufflevector(x, x, lanes...)),
          widened(__builtin_shufflevector(x, x, (lanes + kHalf)...))};
}
template <size_t... lanes>
inline Floats to_floats(const Doubles& low, const Doubles& high, std::index_sequence<lanes...>) {
  return __builtin_shufflevector(__builtin_convertvector(low, HalfOfFloats),
                                 __builtin_convertvector(high, HalfOfFloats), lanes...,
                                 (lanes + sizeof...(lanes))...);
}
inline std::array<Doubles, 2> to_doubles(const Floats& x) { return to_doubles(x, IndicesOfHalf{}); }
inline Floats to_floats(const Doubles& low, const Doubles& high) {
  return to_floats(low, high, IndicesOfHalf{});
}

// What `LanesOf` says of a vector, whose comparisons are integers.
template <class Number, class Integers, class UnsignedIntegers>
struct LanesOfVector {
  using Scalar = Number;
  using Mask = Integers;
  using Int = Integers;
  using Unsigned = UnsignedIntegers;
  static constexpr int kLanes = kVectorBytes / sizeof(Number);
};
template <>
struct LanesOf<Floats> : LanesOfVector<float, Ints, Unsigneds> {};
template <>
struct LanesOf<Doubles> : LanesOfVector<double, Longs, UnsignedLongs> {};
#endif

template <class A>
using Scalar = typename LanesOf<A>::Scalar;
template <class A>
using Mask = typename LanesOf<A>::Mask;
template <class A>
using Bits = typename LanesOf<A>::Unsigned;

template <class A>
HD constexpr Bits<A> bits_of(const A& x) {
  return std::bit_cast<Bits<A>>(x);
}
template <class A>
HD inline A of_bits(const Bits<A>& bits) {
  return std::bit_cast<A>(bits);
}

// a b + c: rounded once where the machine can, which is one instruction there.
template <class A>
HD inline A multiply_add(const A& a, const A& b, const A& c) {
#if defined(__CUDACC__)
  return a * b + c;
#else
#if defined(__FMA__) || defined(__ARM_NEON)
  if constexpr (std::is_same_v<A, float>) return __builtin_fmaf(a, b, c);
#endif
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<A, Floats>)
    return A(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(__FMA__)
  if constexpr (std::is_same_v<A, Floats>)
    return A(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
#elif defined(__ARM_NEON)
  if constexpr (std::is_same_v<A, Floats>) return A(vfmaq_f32(c, a, b));
#endif
  return a * b + c;
#endif
}

// a b + c where b has few digits, and c takes away most of what a b is: rounded once everywhere.
template <class A>
inline A multiply_short_add(const A& a, const A& b, const A& c) {
#if defined(__FMA__) || defined(__ARM_NEON)
  return multiply_add(a, b, c);
#else
  const A high = of_bits<A>(bits_of(a) & 0xfffff000u);  // its product is exact
  return (high * b + c) + (a - high) * b;
#endif
}

// A number in all lanes.
template <class A>
HD inline A all(Scalar<A> number) {
  return A{} + number;
}
template <class A>
HD inline A select(const Mask<A>& which, const A& a, const A& b) {
  return which ? a : b;
}
// `f` of two, over all: of both halves first.
template <class Number, size_t n, class F>
inline Number over_lanes(const std::array<Number, n>& lanes, F&& f) {
  if constexpr (n == 1) {
    return lanes[0];
  } else {
    std::array<Number, n / 2> halves;
    for (size_t l = 0; l < n / 2; ++l) halves[l] = f(lanes[l], lanes[l + n / 2]);
    return over_lanes(halves, f);
  }
}
// What is in the lanes of a vector.
template <class Number, class X>
inline auto lanes_of(const X& x) {
  alignas(X) std::array<Number, sizeof(X) / sizeof(Number)> lanes;
  *reinterpret_cast<X*>(lanes.data()) = x;
  return lanes;
}
template <class A>
inline Scalar<A> largest_of(const A& x) {
  return over_lanes(lanes_of<Scalar<A>>(x), [](auto a, auto b) { return b > a ? b : a; });
}
template <class I>
inline int64_t total_of(const I& integers) {
  using Int = std::remove_cvref_t<decltype(integers[0])>;
  return over_lanes(lanes_of<Int>(integers), [](Int a, Int b) { return a + b; });
}
template <class A>
inline bool are_all(const Mask<A>& which) {
  if constexpr (LanesOf<A>::kLanes == 1) {
    return which;
  } else {
    using Int = std::remove_cvref_t<decltype(which[0])>;
    return over_lanes(lanes_of<Int>(which), [](Int a, Int b) { return a & b; }) != 0;
  }
}
// The entries of a table at the last three bits of indices.
template <class A>
inline A entries_of(const Scalar<A> (&table)[8], const Bits<A>& indices) {
#if defined(__AVX2__) && !defined(__CUDACC__)
  if constexpr (std::is_same_v<A, Floats>) {
    const __m256 entries = _mm256_load_ps(table);
#if defined(__AVX512F__)
    const __m512 twice = _mm512_maskz_broadcast_f32x8(0xffff, entries);  // see `widened`
    return A(_mm512_maskz_permutexvar_ps(0xffff, __m512i(indices), twice));
#else
    return A(_mm256_permutevar8x32_ps(entries, __m256i(indices)));
#endif
  }
#endif
  if constexpr (LanesOf<A>::kLanes == 1) {
    return table[indices & 7];
  } else {
    A entries;
    for (int lane = 0; lane < LanesOf<A>::kLanes; ++lane) entries[lane] = table[indices[lane] & 7];
    return entries;
  }
}
template <class A, class I>
HD inline A number_of(const I& integers) {
  if constexpr (LanesOf<A>::kLanes == 1) {
    return A(integers);
  } else {
    return __builtin_convertvector(integers, A);
  }
}

}  // namespace culoss
