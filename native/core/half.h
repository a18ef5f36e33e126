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
inline Half<kExponentBits> encode(double value) {
  using Format = Half<kExponentBits>;
  const uint16_t sign = signbit(value) ? 0x8000 : 0;
  const double magnitude = fabs(value);
  if (isnan(value)) return {uint16_t(sign | Format::kInfinity | 1 << (Format::kFractionBits - 1))};
  if (magnitude == 0) return {sign};
  if (magnitude >= ldexp(1.0, Format::kBias + 1)) return {uint16_t(sign | Format::kInfinity)};
  int exponent;
  frexp(magnitude, &exponent);
  exponent = exponent - 1 < 1 - Format::kBias ? 1 - Format::kBias : exponent - 1;
  // In units of the last place. A carry out of the fraction lands in the exponent, as it should.
  const double units = nearbyint(ldexp(magnitude, Format::kFractionBits - exponent));
  const int biased = (exponent + Format::kBias - 1) << Format::kFractionBits;
  return {uint16_t(sign | (biased + int(units)))};
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
