// −log p and 1 / p of a number p, of which the digits are in q = 1 − p where it is near 1.
#pragma once

#include <math.h>

#include <limits>

#include "math.h"

namespace culoss {

#ifdef __CUDACC__
template <class A>
constexpr bool kHasTable = false;
template <class A>
struct Tabled;
#else
template <class A>
constexpr bool kHasTable = std::is_same_v<Scalar<A>, float>;

// Short numbers and their logarithms. Which one is near the reciprocal of a number, the first
// digits of its mantissa tell, which stretches from 17/24 to 17/12; it is 1 from 23/24 to 25/24.
// They have 12 digits, and are those whose logarithms are closest to a float: 2^−27.7 of themselves
// away.
constexpr uint32_t kLeastMantissa = 0x3f355555;
alignas(32) constexpr float kShort[8] = {0x1.5b4p+0f, 0x1.3fcp+0f, 0x1.27cp+0f, 0x1.136p+0f,
                                         0x1p+0f,     0x1.cfcp-1f, 0x1.a14p-1f, 0x1.78cp-1f};
alignas(32) constexpr float kLogOfShort[8] = {0x1.382f32p-2f,  0x1.c765bap-3f, 0x1.279a3p-3f,
                                              0x1.2ad44ap-4f,  0x0p+0f,        -0x1.956b04p-4f,
                                              -0x1.a319cep-3f, -0x1.3a1ac8p-2f};

// A number p in float, by a short number c near 1 / p: z = 1 − p c is small and rounded only once,
// −log p = log c − log(1 − z), and 1 / p = c / (1 − z). Near 1, where c = 1, nothing is lost. What
// comes out is right to 2^−22.8 and 2^−23.2 of itself, and 2^−22.4 where a product is rounded
// before it is added. `kIsNormal` says that p is in [2^−126, 2^126], else it may be any.
template <class A>
struct Tabled {
  A p;
  A inverse;               // c
  A surprisal_of_inverse;  // log c
  A rest;                  // z

  // The digits are in q = 1 − p where it `is_beside`.
  template <bool kIsNormal>
  static Tabled of(A p, A q, const Mask<A>& is_beside) {
    if constexpr (kIsNormal) return near(p, select<A>(is_beside, q, -p), is_beside, p);
    const A normal = scaled(p);
    const Mask<A> is_from_q = is_beside & (normal == p);
    return near(normal, select<A>(is_from_q, q, -normal), is_from_q, p);
  }
  // 1 + e of e ≥ 0.
  static Tabled one_and(A e) { return near(1 + e, -e, A{} == A{}, 1 + e); }

  // −log p.
  template <bool kIsNormal>
  A surprisal() const {
    const A of_scaled = surprisal_of_inverse + multiply_add(rest * rest, factor_of_square(), rest);
    if constexpr (kIsNormal) return of_scaled;
    const A of_scale = select<A>(is_small(p), all<A>(kScaling * kLog2),
                                 select<A>(is_large(p), all<A>(-kScaling * kLog2), A{}));
    const A of_no_number = select<A>(p > A{}, -p, all<A>(NAN));  // log ∞ = ∞
    const A of_others = select<A>(p == A{}, all<A>(INFINITY), of_no_number);
    return select<A>((p > A{}) & (p < all<A>(INFINITY)), of_scaled + of_scale, of_others);
  }
  // log p.
  A log() const {
    return multiply_add(rest * rest, -factor_of_square(), -rest) - surprisal_of_inverse;
  }

  // 1 / p: 1 / (1 − z) is 1 + z + z² (1 + z) (1 + z²) up to z⁶.
  template <bool kIsNormal>
  A reciprocal() const {
    const A square = rest * rest, first = 1 + rest;
    const A beyond = multiply_add(square, multiply_add(first, square, first), rest);
    const A of_normal = multiply_add(inverse, beyond, inverse);
    if constexpr (kIsNormal) return of_normal;
    return select<A>(is_small(p) | is_large(p), 1 / p, of_normal);
  }

 private:
  // −log(1 − z) is z and a product by z².
  A factor_of_square() const {
    constexpr float kFactor[] = {0x1.9b0626p-3f, 0x1.00bd32p-2f, 0x1.55551ep-2f, 0x1.ffffd2p-2f};
    return polynomial(rest, kFactor);
  }

  static constexpr float kScaling = 24;  // binary digits

  static Mask<A> is_small(const A& p) { return p < all<A>(0x1p-126f); }
  static Mask<A> is_large(const A& p) { return p > all<A>(0x1p126f); }
  static A scaled(const A& p) {
    return select<A>(is_small(p), p * 0x1p24f, select<A>(is_large(p), p * 0x1p-24f, p));
  }
  // A normal number, which is −x, or 1 − x if it `is_beside`.
  static Tabled near(A number, A x, const Mask<A>& is_beside, A p) {
    const Bits<A> bits = bits_of(number) - kLeastMantissa;
    const Bits<A> exponent = bits & 0xff800000u, index = bits >> 20;
    const A inverse = of_bits<A>(bits_of(entries_of<A>(kShort, index)) - exponent);
    const A power = number_of<A>(std::bit_cast<typename LanesOf<A>::Int>(exponent));
    const A surprisal =
        multiply_add(power, all<A>(-kLog2 * 0x1p-23f), entries_of<A>(kLogOfShort, index));
    const A of_one = 1 - select<A>(is_beside, inverse, A{});
    return {p, inverse, surprisal, multiply_short_add(x, inverse, of_one)};
  }
};
#endif

// −log(1 − q) of q in [0, ½]. On a device, what comes beyond q is a product by its square, so that
// nothing is lost near 0: its factor has the least relative error of the logarithm, 2^−24.8, and of
// few digits 2^−19.4.
template <Digits kDigits, class A>
HD inline A surprisal_beside(A q) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<A, float>) {
    constexpr float kFew[] = {0.967646062374115f,   -0.6008871793746948f, 0.4997962713241577f,
                              0.19433356821537018f, 0.33793774247169495f, 0.49987557530403137f};
    constexpr float kAll[] = {1.4142881631851196f,   -1.6390440464019775f, 1.2082438468933105f,
                              -0.18073886632919312f, 0.26363644003868103f, 0.24369031190872192f,
                              0.33363157510757446f,  0.49999523162841797f};
    const A factor = kDigits == Digits::few ? polynomial(q, kFew) : polynomial(q, kAll);
    return multiply_add(q * q, factor, q);
  }
#endif
  if constexpr (kHasTable<A>) {
    return Tabled<A>::template of<true>(1 - q, q, A{} == A{}).template surprisal<true>();
  } else {
    return -log1p(-q);
  }
}

// log(1 + e) of e in [0, 1], likewise.
template <Digits kDigits, class A>
HD inline A log1p_of(A e) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<A, float>) {
    constexpr float kFew[] = {0.01458800956606865f,  -0.06785031408071518f, 0.15102675557136536f,
                              -0.23611299693584442f, 0.3314041793346405f,   -0.4999074637889862f};
    constexpr float kAll[] = {0.005365422461181879f, -0.030068300664424896f, 0.07920882850885391f,
                              -0.13754187524318695f, 0.1915384829044342f,    -0.24857217073440552f,
                              0.33321329951286316f,  -0.49999648332595825f};
    const A factor = kDigits == Digits::few ? polynomial(e, kFew) : polynomial(e, kAll);
    return multiply_add(e * e, factor, e);
  }
#endif
  return log1p(e);
}

// A number p as it is: in double, and on a device.
template <class A, Digits kDigits>
struct Whole {
  A p;
  A q;

  // The digits are in q if `is_beside`.
  template <bool kIsNormal>
  static HD Whole of(A p, A q, bool) {
    return {p, q};
  }
  // 1 + e of e in [0, 1].
  static HD Whole one_and(A e) { return {1 + e, -e}; }

  // −log p.
  template <bool kIsNormal>
  HD A surprisal() const {
    if (p >= A(0.5) && (kIsNormal || p <= 1)) return surprisal_beside<kDigits>(q);
#ifdef __CUDA_ARCH__
    if constexpr (std::is_same_v<A, float>) return kIsNormal ? fast_surprisal(p) : -__logf(p);
#endif
    return -::log(p);
  }
  // log p of p = 1 + e.
  HD A log() const { return log1p_of<kDigits>(-q); }

  // 1 / p.
  template <bool kIsNormal>
  HD A reciprocal() const {
    const bool is_normal = kIsNormal || p >= std::numeric_limits<A>::min();
    return is_normal ? culoss::reciprocal(p) : 1 / p;
  }
};

// What a number p is reduced to, so that −log p and 1 / p are near.
template <class A, Digits kDigits>
using Reduced = std::conditional_t<kHasTable<A>, Tabled<A>, Whole<A, kDigits>>;

// log x of x ≥ 1, of which few are infinite. NaN passes.
template <class A>
HD inline A log_of_total(A x) {
  if constexpr (kHasTable<A>) {
    const A log = Tabled<A>::template of<true>(x, A{}, Mask<A>{}).log();
    return select<A>(x < all<A>(INFINITY), log, x);
  } else {
    return log(x);
  }
}

}  // namespace culoss
