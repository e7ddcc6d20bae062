// Elementary functions of float, 16 at a time and free of branches.
//
// Range reductions and most polynomials follow Moshier's Cephes library (single precision, 1995); exp and erf are
// fitted here. Rounding to an integer uses the 1.5 * 2^23 trick, so that NaN and infinity pass without an undefined
// conversion. Where lanes leave the range a reduction is good for, those lanes call the C library.

#pragma once
#include "vectors.h"

INLINE f32 magnitude_f32(f32 x) { return BITS(f32, BITS(u32, x) & 0x7FFFFFFFu); }
INLINE u32 sign_bit_f32(f32 x) { return BITS(u32, x) & 0x80000000u; }
INLINE f32 with_sign_f32(f32 x, u32 sign) { return BITS(f32, BITS(u32, x) ^ sign); }

// 2^n for n in -126...127.
INLINE f32 power_of_two_f32(i32 n) { return BITS(f32, (n + 127) << 23); }

typedef struct { i32 n; f32 r, whole; } Reduced;

// x = n ln 2 + r, |r| <= ln 2 / 2; `whole` is n again. The parts of ln 2 are Cephes' C1 and C2: n C1 is exact.
INLINE Reduced reduce_exp_f32(f32 x) {
  const float magic = 12582912.0f;
  f32 t = x * 1.44269504088896341f + magic;
  f32 n = t - magic;
  f32 r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  return (Reduced){BITS(i32, t) - 0x4B400000, r, n};
}

// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, fitted here: e^r is off by 3.1e-9 of it.
INLINE f32 exp_tail_f32(f32 r) {
  f32 p = r * 1.3814601116e-3f + 8.3687156439e-3f;
  p = p * r + 4.1668388993e-2f;
  p = p * r + 1.6666521132e-1f;
  return p * r + 4.9999994040e-1f;
}

// e^r for |r| <= ln 2 / 2.
INLINE f32 exp_reduced_f32(f32 r) {
  f32 p = exp_tail_f32(r) * r + 1.0f;
  return p * r + 1.0f;
}

// y 2^n for y in [1/2, 2] and the n of a reduction, in -160...130.
INLINE f32 scale_f32(f32 y, Reduced reduced) {
#if HOST_HAS_SCALE
  return __builtin_ia32_scalefps512_mask(y, reduced.whole, y, 0xFFFF, 4);
#else
  // Two factors, since 2^n itself may overflow or be denormal where the result is not.
  i32 half = reduced.n >> 1;
  return y * power_of_two_f32(half) * power_of_two_f32(reduced.n - half);
#endif
}

INLINE f32 exp_f32(f32 x) {
  // Beyond these the result is 0 or infinity; a NaN fails both comparisons.
  x = x > 89.0f ? (f32)89.0f : x;
  x = x < -110.0f ? (f32)-110.0f : x;
  Reduced reduced = reduce_exp_f32(x);
  return scale_f32(exp_reduced_f32(reduced.r), reduced);
}

INLINE f32 expm1_f32(f32 x) {
  f32 c = x > 89.0f ? (f32)89.0f : x;
  c = c < -25.0f ? (f32)-25.0f : c;
  Reduced reduced = reduce_exp_f32(c);
  f32 r = reduced.r;
  f32 m = exp_tail_f32(r) * (r * r) + r;
  // 2^n (1 + m) - 1, halved so that n = 128 does not overflow early.
  f32 h = power_of_two_f32(reduced.n - 1);
  f32 y = (m * h + (h - 0.5f)) * 2.0f;
  return magnitude_f32(x) < 1e-8f ? x : y;
}

// log of a positive finite x.
INLINE f32 log_positive_f32(f32 x) {
  i32 is_small = x < 1.17549435e-38f;
  x = is_small ? x * 8388608.0f : x;
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)).
  i32 bits = BITS(i32, x) - 0x3F3504F3;
  i32 exponent = bits >> 23;
  f32 f = BITS(f32, (bits & 0x007FFFFF) + 0x3F3504F3) - 1.0f;
  f32 e = CONVERT(f32, exponent - (is_small & 23));
  f32 z = f * f;
  f32 p = f * 7.0376836292e-2f + -1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f + -1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f + -1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f + -2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  f32 y = p * f * z + e * -2.12194440e-4f - z * 0.5f;
  return f + y + e * 0.693359375f;
}

// Puts log's values at 0, below 0, at infinity and NaN in place.
INLINE f32 log_special_f32(f32 x, f32 y) {
  y = x == 0.0f ? (f32)-INFINITY : y;
  y = x < 0.0f ? (f32)NAN : y;
  return ((x == INFINITY) | (x != x)) ? x : y;
}

INLINE f32 log_f32(f32 x) { return log_special_f32(x, log_positive_f32(x)); }

INLINE f32 log1p_f32(f32 x) {
  // log(u) and, to first order, what rounding 1 + x to u lost (Hewlett-Packard's trick, as in Goldberg 1991,
  // "What every computer scientist should know about floating-point arithmetic", theorem 4).
  f32 u = x + 1.0f;
  f32 lost = x - (u - 1.0f);
  lost = x > 16777216.0f ? (f32)0.0f : lost;
  f32 y = log_special_f32(u, log_positive_f32(u) + lost / u);
  return magnitude_f32(x) < 1e-8f ? x : y;
}

typedef struct { u32 quadrant; f32 r; } Angle;

// x = n pi/2 + r, |r| <= pi/4, for |x| < 2^20: n times the first part of pi/2 (33 bits) is exact in double.
INLINE Angle reduce_angle_f32(f32 x) {
  const double magic = 6755399441055744.0;
  f64 w = CONVERT(f64, x);
  f64 t = w * 0.63661977236758134308 + magic;
  f64 n = t - magic;
  f64 r = w - n * 1.57079632673412561417e+00;
  r = r - n * 6.07710050650619224932e-11;
  return (Angle){CONVERT(u32, BITS(u64, t)), CONVERT(f32, r)};
}

INLINE f32 sin_polynomial_f32(f32 r) {
  f32 z = r * r;
  f32 p = z * -1.9515295891e-4f + 8.3321608736e-3f;
  p = p * z + -1.6666654611e-1f;
  return p * (z * r) + r;
}

INLINE f32 cos_polynomial_f32(f32 r) {
  f32 z = r * r;
  f32 p = z * 2.443315711809948e-5f + -1.388731625493765e-3f;
  p = p * z + 4.166664568298827e-2f;
  return p * (z * z) - z * 0.5f + 1.0f;
}

#define IS_LARGE_ANGLE(x) (!(magnitude_f32(x) < 1048576.0f))

// Lanes whose angle is too large for `reduce_angle_f32`, or not finite, go through the C library.
#define REPLACE_LARGE_ANGLES(y, x, function) \
  if (__builtin_reduce_or(IS_LARGE_ANGLE(x))) \
    for (int lane = 0; lane < LANES; lane++) \
      if (!(fabsf(x[lane]) < 1048576.0f)) y[lane] = (float)function((double)x[lane]);

INLINE f32 sin_f32(f32 x) {
  Angle angle = reduce_angle_f32(IS_LARGE_ANGLE(x) ? (f32)0.0f : x);
  f32 y = (angle.quadrant & 1) != 0 ? cos_polynomial_f32(angle.r) : sin_polynomial_f32(angle.r);
  y = with_sign_f32(y, (angle.quadrant & 2) << 30);
  y = x == 0.0f ? x : y;
  REPLACE_LARGE_ANGLES(y, x, sin)
  return y;
}

INLINE f32 cos_f32(f32 x) {
  Angle angle = reduce_angle_f32(IS_LARGE_ANGLE(x) ? (f32)0.0f : x);
  f32 y = (angle.quadrant & 1) != 0 ? sin_polynomial_f32(angle.r) : cos_polynomial_f32(angle.r);
  y = with_sign_f32(y, ((angle.quadrant + 1) & 2) << 30);
  REPLACE_LARGE_ANGLES(y, x, cos)
  return y;
}

INLINE f32 tan_f32(f32 x) {
  Angle angle = reduce_angle_f32(IS_LARGE_ANGLE(x) ? (f32)0.0f : x);
  f32 s = sin_polynomial_f32(angle.r), c = cos_polynomial_f32(angle.r);
  i32 is_odd = (angle.quadrant & 1) != 0;
  f32 y = (is_odd ? -c : s) / (is_odd ? s : c);
  y = x == 0.0f ? x : y;
  REPLACE_LARGE_ANGLES(y, x, tan)
  return y;
}

// e^x - 1 for |x| <= 60: the power of two is a normal number, whose bits are the last of t.
INLINE f32 expm1_bounded_f32(f32 x) {
  const float magic = 12582912.0f + 127.0f;
  f32 t = x * 1.44269504088896341f + magic;
  f32 n = t - magic;
  f32 r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  f32 m = exp_tail_f32(r) * (r * r) + r;
  f32 power = BITS(f32, BITS(i32, t) << 23);
  return m * power + (power - 1.0f);
}

// (e^2a - 1) / (e^2a + 1) of the magnitude a, which is 1 from 10 on.
INLINE f32 tanh_f32(f32 x) {
  f32 a = magnitude_f32(x);
  a = a > 10.0f ? (f32)10.0f : a;
  f32 m = expm1_bounded_f32(a + a);
  return with_sign_f32(m / (m + 2.0f), sign_bit_f32(x));
}

// asin of x in [0, 1/2], given x and z = x^2.
INLINE f32 asin_polynomial_f32(f32 x, f32 z) {
  f32 p = z * 4.2163199048e-2f + 2.4181311049e-2f;
  p = p * z + 4.5470025998e-2f;
  p = p * z + 7.4953002686e-2f;
  p = p * z + 1.6666752422e-1f;
  return p * z * x + x;
}

INLINE f32 asin_f32(f32 x) {
  f32 a = magnitude_f32(x);
  i32 is_large = a > 0.5f;
  f32 z = is_large ? 0.5f * (1.0f - a) : a * a;
  f32 p = asin_polynomial_f32(is_large ? __builtin_elementwise_sqrt(z) : a, z);
  f32 y = is_large ? 1.57079632679489661923f - (p + p) : p;
  return with_sign_f32(y, sign_bit_f32(x));
}

INLINE f32 acos_f32(f32 x) {
  f32 a = magnitude_f32(x);
  i32 is_large = a > 0.5f;
  f32 z = is_large ? 0.5f * (1.0f - a) : a * a;
  f32 p = asin_polynomial_f32(is_large ? __builtin_elementwise_sqrt(z) : a, z);
  f32 twice = p + p;
  f32 large = x < 0.0f ? 3.14159265358979323846f - twice : twice;
  // pi/2 in two parts, so that results near pi/2 keep their last bits.
  f32 small = 1.57079637050628662109375f - (with_sign_f32(p, sign_bit_f32(x)) + 4.37113883e-8f);
  return is_large ? large : small;
}

INLINE f32 atan_polynomial_f32(f32 x) {
  f32 z = x * x;
  f32 p = z * 8.05374449538e-2f + -1.38776856032e-1f;
  p = p * z + 1.99777106478e-1f;
  p = p * z + -3.33329491539e-1f;
  return p * z * x + x;
}

// atan of x >= 0.
INLINE f32 atan_positive_f32(f32 x) {
  i32 is_large = x > 2.414213562373095f;
  i32 is_middle = (x > 0.4142135623730950f) & ~is_large;
  f32 top = is_large ? (f32)-1.0f : (is_middle ? x - 1.0f : x);
  f32 bottom = is_large ? x : (is_middle ? x + 1.0f : (f32)1.0f);
  f32 base = is_large ? (f32)1.57079632679489661923f : (is_middle ? (f32)0.78539816339744830962f : (f32)0.0f);
  return base + atan_polynomial_f32(top / bottom);
}

INLINE f32 atan_f32(f32 x) { return with_sign_f32(atan_positive_f32(magnitude_f32(x)), sign_bit_f32(x)); }

INLINE f32 atan2_f32(f32 y, f32 x) {
  f32 ay = magnitude_f32(y), ax = magnitude_f32(x);
  i32 is_steep = ay > ax;
  f32 top = is_steep ? ax : ay, bottom = is_steep ? ay : ax;
  f32 q = top / bottom;
  q = bottom == 0.0f ? (f32)0.0f : q;
  q = top == INFINITY ? (f32)1.0f : q;
  f32 angle = atan_positive_f32(q);
  angle = is_steep ? 1.57079637050628662109375f - (angle + 4.37113883e-8f) : angle;
  angle = sign_bit_f32(x) != 0 ? 3.1415927410125732421875f - (angle + 8.74227766e-8f) : angle;
  angle = with_sign_f32(angle, sign_bit_f32(y));
  return ((x != x) | (y != y)) ? x + y : angle;
}

INLINE f32 sinh_f32(f32 x) {
  f32 a = magnitude_f32(x);
  f32 m = expm1_f32(a);
  f32 h = exp_f32(a * 0.5f);
  f32 y = a > 80.0f ? h * 0.5f * h : 0.5f * (m + m / (m + 1.0f));
  y = a < 1e-4f ? a : y;
  return x != x ? x : with_sign_f32(y, sign_bit_f32(x));
}

INLINE f32 cosh_f32(f32 x) {
  f32 a = magnitude_f32(x);
  f32 e = exp_f32(a);
  f32 h = exp_f32(a * 0.5f);
  return a > 80.0f ? h * 0.5f * h : 0.5f * e + 0.5f / e;
}

// 1 - e^q of the magnitude a, where q / a is fitted here to minimal largest relative error of erf up to 4, where erf
// rounds to 1. The fit's own error is 4.0e-9; its constant, -2 / sqrt(pi), is given in two parts.
INLINE f32 erf_f32(f32 x) {
  f32 a = magnitude_f32(x);
  a = a > 4.0f ? (f32)4.0f : a;
  f32 q = a * 9.25627592e-06f + -0.000117641357f;
  q = q * a + 0.000632837124f;
  q = q * a + -0.00166702783f;
  q = q * a + 0.000160396376f;
  q = q * a + 0.0191530641f;
  q = q * a + -0.102777831f;
  q = q * a + -0.636619389f;
  q = q * a + 5.86e-8f;
  q = a * -1.12837923f + q * a;
  return with_sign_f32(magnitude_f32(expm1_bounded_f32(q)), sign_bit_f32(x));
}

// x^y through double: log2 by the series of atanh, 2^t by Taylor's, both good to 2^-35 of the exponent.
INLINE f32 power_f32(f32 x, f32 y) {
  f64 a = CONVERT(f64, magnitude_f32(x)), w = CONVERT(f64, y);
  i64 bits = BITS(i64, a) - 0x3FE6A09E667F3BCDLL;
  f64 m = BITS(f64, (bits & 0x000FFFFFFFFFFFFFLL) + 0x3FE6A09E667F3BCDLL);
  // The exponent, by the 2^52 + 2^51 trick: an int64 conversion is slow on many processors.
  f64 e = BITS(f64, (bits >> 52) + 0x4338000000000000LL) - 6755399441055744.0;
  f64 s = (m - 1.0) / (m + 1.0), z = s * s;
  f64 p = z * 0.0666666666666666667 + 0.0769230769230769231;
  p = p * z + 0.0909090909090909091;
  p = p * z + 0.1111111111111111111;
  p = p * z + 0.1428571428571428571;
  p = p * z + 0.2;
  p = p * z + 0.3333333333333333333;
  p = p * z + 1.0;
  f64 l = p * s * 2.88539008177792681472 + e;
  l = a == 0.0 ? (f64)-INFINITY : l;
  l = a == INFINITY ? (f64)INFINITY : l;
  f64 t = w * l;
  t = t > 300.0 ? (f64)300.0 : t;
  t = t < -300.0 ? (f64)-300.0 : t;
  f64 rounded = t + 6755399441055744.0;
  f64 r = (t - (rounded - 6755399441055744.0)) * 0.69314718055994530942;
  f64 v = r * 2.7557319223985890653e-6 + 2.4801587301587301587e-5;
  v = v * r + 1.9841269841269841270e-4;
  v = v * r + 1.3888888888888888889e-3;
  v = v * r + 8.3333333333333333333e-3;
  v = v * r + 4.1666666666666666667e-2;
  v = v * r + 1.6666666666666666667e-1;
  v = v * r + 0.5;
  v = v * r + 1.0;
  v = v * r + 1.0;
  i64 n = BITS(i64, rounded) - 0x4338000000000000LL;
  f32 power = CONVERT(f32, v * BITS(f64, (n + 1023) << 52));

  f32 ay = magnitude_f32(y);
  // From 2^24 on every float is even.
  f32 whole = __builtin_elementwise_floor(ay), half = ay * 0.5f;
  i32 is_whole = (whole == ay) | (ay >= 16777216.0f);
  i32 is_odd = is_whole & (ay < 16777216.0f) & (__builtin_elementwise_floor(half) != half);
  i32 is_negative = BITS(i32, x) < 0;
  power = with_sign_f32(power, BITS(u32, is_odd & is_negative) & 0x80000000u);
  power = ((x < 0.0f) & (x != -INFINITY) & ~is_whole) ? (f32)NAN : power;
  power = ((x != x) | (y != y)) ? x + y : power;
  power = ((x == -1.0f) & (ay == INFINITY)) ? (f32)1.0f : power;
  return ((y == 0.0f) | (x == 1.0f)) ? (f32)1.0f : power;
}
