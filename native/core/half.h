// float16 and bfloat16: storage only, arithmetic is in float. IEEE 754-2019 §3.6 and bfloat16.
#pragma once

#include <math.h>
#include <stdint.h>

#include <bit>

#include "platform.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace culoss {

// A binary floating-point format of 16 bits: one sign, `kExponentBits`, and the fraction.
template <int kBits>
struct Half {
  static constexpr int kExponentBits = kBits;
  static constexpr int kFractionBits = 15 - kExponentBits;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr uint16_t kInfinity = ((1 << kExponentBits) - 1) << kFractionBits;
  // (2 − 2^−fraction bits) · 2^bias
  static constexpr float kLargest = std::bit_cast<float>(
      uint32_t(127 + kBias) << 23 | ((1u << kFractionBits) - 1) << (23 - kFractionBits));

  uint16_t bits;
};

using float16 = Half<5>;
using bfloat16 = Half<8>;

// Every value of either format is a float.
template <int kExponentBits>
HD inline float decode(Half<kExponentBits> half) {
  using Format = Half<kExponentBits>;
  if constexpr (Format::kFractionBits == 7) {  // the upper half of a float
    return std::bit_cast<float>(uint32_t(half.bits) << 16);
  }
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(half.bits));
#endif
  const uint32_t sign = uint32_t(half.bits & 0x8000) << 16;
  const uint32_t magnitude = uint32_t(half.bits & 0x7fff) << (23 - Format::kFractionBits);
  if ((half.bits & Format::kInfinity) == Format::kInfinity) {
    return std::bit_cast<float>(sign | 0x7f800000 | magnitude);
  }
  // The product moves the exponent from one bias to the other and makes subnormals normal.
  constexpr float kRebias = std::bit_cast<float>(uint32_t(127 + 127 - Format::kBias) << 23);
  const float value = std::bit_cast<float>(magnitude) * kRebias;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
}

// Rounds once, to nearest, ties to even; beyond the range to infinity.
template <int kExponentBits>
inline Half<kExponentBits> encode(float value) {
  using Format = Half<kExponentBits>;
  constexpr int kDropped = 23 - Format::kFractionBits;
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  // Half a unit of the last place is added, and less of an even number; a carry out of the fraction
  // lands in the exponent, as it should.
  const uint32_t rounding = (1u << (kDropped - 1)) - 1 + (magnitude >> kDropped & 1);
  const uint32_t rebias = uint32_t(127 - Format::kBias) << 23;
  uint32_t rounded = (magnitude - rebias + rounding) >> kDropped;
  if constexpr (Format::kBias != 127) {
    // A subnormal: the addition of a number whose last place is that of the format rounds it.
    const float unit = std::bit_cast<float>(uint32_t(127 - Format::kBias + 1 + kDropped) << 23);
    const float sum = std::bit_cast<float>(magnitude) + unit;
    const uint32_t subnormal = std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(unit);
    rounded = magnitude < rebias + (1u << 23) ? subnormal : rounded;
  }
  rounded = rounded > Format::kInfinity ? Format::kInfinity : rounded;
  const uint32_t nan = Format::kInfinity | 1 << (Format::kFractionBits - 1);
  return {uint16_t(sign | (magnitude > 0x7f800000 ? nan : rounded))};
}

// A double is first rounded to a float with an odd last bit if anything is lost, so that rounding
// it again rounds as once.
template <int kExponentBits>
inline Half<kExponentBits> encode(double value) {
  const float nearest = float(value);
  if (double(nearest) == value || isnan(value)) return encode<kExponentBits>(nearest);
  const float toward_zero =
      fabs(double(nearest)) > fabs(value) ? nextafterf(nearest, 0.0f) : nearest;
  return encode<kExponentBits>(std::bit_cast<float>(std::bit_cast<uint32_t>(toward_zero) | 1));
}

#ifdef __CUDACC__
__device__ inline float16 encode_on_device(float value, float16) {
  return {__half_as_ushort(__float2half_rn(value))};
}
__device__ inline bfloat16 encode_on_device(float value, bfloat16) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
}
__device__ inline void encode_pair_on_device(float a, float b, float16* to) {
  const __half2 pair = __floats2half2_rn(a, b);
  to[0] = {__half_as_ushort(__low2half(pair))};
  to[1] = {__half_as_ushort(__high2half(pair))};
}
__device__ inline void encode_pair_on_device(float a, float b, bfloat16* to) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
  to[0] = {__bfloat16_as_ushort(__low2bfloat16(pair))};
  to[1] = {__bfloat16_as_ushort(__high2bfloat16(pair))};
}
#endif

}  // namespace culoss
