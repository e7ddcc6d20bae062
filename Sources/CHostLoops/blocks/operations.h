// The block functions of every operation.

#pragma once
#include "elementary.h"

// Real numbers.
#define REAL_OPERATIONS(V, I) \
  BINARY(add_##V, V, V, a + b) \
  BINARY(subtract_##V, V, V, a - b) \
  BINARY(multiply_##V, V, V, a * b) \
  BINARY(divide_##V, V, V, a / b) \
  BINARY(minimum_##V, V, V, ((a < b) | (a != a)) ? a : b) \
  BINARY(maximum_##V, V, V, ((a > b) | (a != a)) ? a : b) \
  UNARY(negate_##V, V, V, -a) \
  UNARY(absolute_##V, V, V, __builtin_elementwise_abs(a)) \
  UNARY(sign_##V, V, V, a > 0 ? (V)1 : (a < 0 ? (V)-1 : a)) \
  UNARY(sqrt_##V, V, V, __builtin_elementwise_sqrt(a)) \
  UNARY(reciprocal_square_root_##V, V, V, 1 / __builtin_elementwise_sqrt(a)) \
  UNARY(floor_##V, V, V, __builtin_elementwise_floor(a)) \
  UNARY(ceil_##V, V, V, __builtin_elementwise_ceil(a)) \
  UNARY(round_##V, V, V, __builtin_elementwise_roundeven(a)) \
  UNARY(is_nan_##V, u8, V, CONVERT(u8, a != a) & 1)
REAL_OPERATIONS(f32, i32)
REAL_OPERATIONS(f64, i64)

BINARY_SCALAR(remainder_f32, f32, fmodf(a, b))
BINARY_SCALAR(remainder_f64, f64, fmod(a, b))
BINARY(power_f32_block, f32, f32, power_f32(a, b))
BINARY(atan2_f32_block, f32, f32, atan2_f32(a, b))
BINARY_SCALAR(power_f64, f64, pow(a, b))
BINARY_SCALAR(atan2_f64, f64, atan2(a, b))

#define ELEMENTARY(name) \
  UNARY(name##_f32_block, f32, f32, name##_f32(a)) \
  UNARY_SCALAR(name##_f64, f64, name(a))
ELEMENTARY(exp)
ELEMENTARY(expm1)
ELEMENTARY(log)
ELEMENTARY(log1p)
ELEMENTARY(sin)
ELEMENTARY(cos)
ELEMENTARY(tan)
ELEMENTARY(tanh)
ELEMENTARY(asin)
ELEMENTARY(acos)
ELEMENTARY(atan)
ELEMENTARY(sinh)
ELEMENTARY(cosh)
ELEMENTARY(erf)

// Whole numbers. Arithmetic goes through the unsigned type U, where wrapping is defined.
#define INTEGER_OPERATIONS(V, U, bits) \
  BINARY(add_##V, V, V, BITS(V, BITS(U, a) + BITS(U, b))) \
  BINARY(subtract_##V, V, V, BITS(V, BITS(U, a) - BITS(U, b))) \
  BINARY(multiply_##V, V, V, BITS(V, BITS(U, a) * BITS(U, b))) \
  BINARY(minimum_##V, V, V, a < b ? a : b) \
  BINARY(maximum_##V, V, V, a > b ? a : b) \
  BINARY(bit_and_##V, V, V, a & b) \
  BINARY(bit_or_##V, V, V, a | b) \
  BINARY(bit_xor_##V, V, V, a ^ b) \
  BINARY(shift_left_##V, V, V, BITS(V, BITS(U, a) << (BITS(U, b) & (bits - 1)))) \
  BINARY(shift_right_##V, V, V, a >> (b & (bits - 1))) \
  UNARY(negate_##V, V, V, BITS(V, 0 - BITS(U, a)))
INTEGER_OPERATIONS(i32, u32, 32)
INTEGER_OPERATIONS(u32, u32, 32)
INTEGER_OPERATIONS(i64, u64, 64)

UNARY(absolute_i32, i32, i32, a < 0 ? BITS(i32, 0 - BITS(u32, a)) : a)
UNARY(absolute_u32, u32, u32, a)
UNARY(absolute_i64, i64, i64, a < 0 ? BITS(i64, 0 - BITS(u64, a)) : a)
UNARY(sign_i32, i32, i32, (a < 0) - (a > 0))
UNARY(sign_u32, u32, u32, a > 0 ? (u32)1 : (u32)0)
UNARY(sign_i64, i64, i64, (a < 0) - (a > 0))

// No processor divides vectors of integers; 32 bits fit a double, whose quotient truncates to the right one.
// By zero gives zero; the least integer by -1 wraps to itself, so both divide by 1 and are put in place after.
INLINE i32 quotient_i32(i32 a, i32 b) {
  i32 is_odd = (b == 0) | (b == -1);
  i32 q = CONVERT(i32, CONVERT(f64, a) / CONVERT(f64, is_odd ? (i32)1 : b));
  q = b == -1 ? BITS(i32, 0 - BITS(u32, a)) : q;
  return b == 0 ? (i32)0 : q;
}
INLINE u32 quotient_u32(u32 a, u32 b) {
  u32 q = CONVERT(u32, CONVERT(f64, a) / CONVERT(f64, b == 0 ? (u32)1 : b));
  return b == 0 ? (u32)0 : q;
}
INLINE int64_t quotient_i64(int64_t a, int64_t b) {
  return b == 0 ? 0 : (b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b);
}
BINARY(divide_i32, i32, i32, quotient_i32(a, b))
BINARY(divide_u32, u32, u32, quotient_u32(a, b))
BINARY_SCALAR(divide_i64, i64, quotient_i64(a, b))
BINARY(remainder_i32, i32, i32, b == 0 ? (i32)0 : BITS(i32, BITS(u32, a) - BITS(u32, quotient_i32(a, b)) * BITS(u32, b)))
BINARY(remainder_u32, u32, u32, b == 0 ? (u32)0 : a - quotient_u32(a, b) * b)
BINARY_SCALAR(remainder_i64, i64, b == 0 || b == -1 ? 0 : a % b)

// Comparisons and logic.
#define COMPARISONS(V) \
  BINARY(less_##V, u8, V, CONVERT(u8, a < b) & 1) \
  BINARY(less_or_equal_##V, u8, V, CONVERT(u8, a <= b) & 1) \
  BINARY(equal_##V, u8, V, CONVERT(u8, a == b) & 1) \
  BINARY(not_equal_##V, u8, V, CONVERT(u8, a != b) & 1)
COMPARISONS(f32)
COMPARISONS(f64)
COMPARISONS(i32)
COMPARISONS(u32)
COMPARISONS(i64)
COMPARISONS(u8)
BINARY(and_u8, u8, u8, a & b)
BINARY(or_u8, u8, u8, a | b)
BINARY(xor_u8, u8, u8, a ^ b)
BINARY(maximum_u8, u8, u8, a > b ? a : b)
BINARY(minimum_u8, u8, u8, a < b ? a : b)
UNARY(not_u8, u8, u8, a ^ 1)

// Choice by a block of bools; either alternative may be one element.
#define SELECT(V, I) \
  INLINE void select_##V##_loop(V##_element *d, const uint8_t *c, const V##_element *p, const V##_element *q, \
    intptr_t count, int uniform) { \
    V a0 = (V)p[0], b0 = (V)q[0]; \
    intptr_t i = 0; \
    for (; i + LANES <= count; i += LANES) \
      STORE(V, d + i, CONVERT(I, LOAD(u8, c + i)) != 0 ? (uniform & 2 ? a0 : LOAD(V, p + i)) \
        : (uniform & 4 ? b0 : LOAD(V, q + i))); \
    for (; i < count; i++) d[i] = c[i] ? p[uniform & 2 ? 0 : i] : q[uniform & 4 ? 0 : i]; \
  } \
  static void select_##V##_0(void *d, const void *const *o, intptr_t n) { select_##V##_loop(d, o[0], o[1], o[2], n, 0); } \
  static void select_##V##_2(void *d, const void *const *o, intptr_t n) { select_##V##_loop(d, o[0], o[1], o[2], n, 2); } \
  static void select_##V##_4(void *d, const void *const *o, intptr_t n) { select_##V##_loop(d, o[0], o[1], o[2], n, 4); } \
  static void select_##V##_6(void *d, const void *const *o, intptr_t n) { select_##V##_loop(d, o[0], o[1], o[2], n, 6); }
SELECT(f32, i32)
SELECT(f64, i64)
SELECT(i32, i32)
SELECT(u32, i32)
SELECT(i64, i64)
SELECT(u8, i8)

// Threefry-2x32 with 20 rounds (Salmon et al. 2011, section 4).
typedef struct { u32 first, second; } Words;
INLINE Words threefry(u32 k0, u32 k1, u32 x0, u32 x1) {
  u32 keys[3] = {k0, k1, 0x1BD11BDAu ^ k0 ^ k1};
  static const uint32_t rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  x0 += k0;
  x1 += k1;
#pragma clang loop unroll(full)
  for (int group = 0; group < 5; group++) {
#pragma clang loop unroll(full)
    for (int round = 0; round < 4; round++) {
      uint32_t r = rotations[group & 1][round];
      x0 += x1;
      x1 = (x1 << r | x1 >> (32 - r)) ^ x0;
    }
    x0 += keys[(group + 1) % 3];
    x1 += keys[(group + 2) % 3] + (uint32_t)(group + 1);
  }
  return (Words){x0, x1};
}
#define THREEFRY(word, uniform) \
  static void threefry_##word##_##uniform(void *result, const void *const *o, intptr_t count) { \
    uint32_t *d = result; \
    const uint32_t *p = o[0], *q = o[1], *r = o[2], *s = o[3]; \
    for (intptr_t i = 0; i < count; i += LANES) { \
      intptr_t n = count - i < LANES ? count - i : LANES; \
      u32 a = uniform & 1 ? (u32)p[0] : LOAD_PART(u32, p + i, n, 0), b = uniform & 2 ? (u32)q[0] : LOAD_PART(u32, q + i, n, 0); \
      u32 c = uniform & 4 ? (u32)r[0] : LOAD_PART(u32, r + i, n, 0), e = LOAD_PART(u32, s + i, n, 0); \
      STORE_PART(u32, d + i, threefry(a, b, c, e).word, n); \
    } \
  }
THREEFRY(first, 0)
THREEFRY(first, 3)
THREEFRY(first, 7)
THREEFRY(second, 0)
THREEFRY(second, 3)
THREEFRY(second, 7)

// Conversions. Real numbers truncate toward zero and stay within the integer's bounds; NaN becomes 0.
#define PLAIN_CONVERSION(R, V) UNARY(convert_##V##_##R, R, V, CONVERT(R, a))
#define TRUNCATION(R, V, I, lowest, highest, below, above) \
  UNARY(convert_##V##_##R, R, V, ({ \
    V x = a != a ? (V)0 : a; \
    x = x < (V)(lowest) ? (V)(lowest) : x; \
    x = x > (V)(highest) ? (V)(highest) : x; \
    R y = CONVERT(R, x); \
    y = CONVERT(I, a > (V)(highest)) != 0 ? (R)(R##_element)(above) : y; y; }))
TRUNCATION(i32, f32, i32, -2147483648.0f, 2147483520.0f, INT32_MIN, INT32_MAX)
TRUNCATION(i32, f64, i32, -2147483648.0, 2147483647.0, INT32_MIN, INT32_MAX)
TRUNCATION(u32, f32, i32, 0.0f, 4294967040.0f, 0, UINT32_MAX)
TRUNCATION(u32, f64, i32, 0.0, 4294967295.0, 0, UINT32_MAX)
TRUNCATION(i64, f32, i64, -9223372036854775808.0f, 9223371487098961920.0f, INT64_MIN, INT64_MAX)
TRUNCATION(i64, f64, i64, -9223372036854775808.0, 9223372036854774784.0, INT64_MIN, INT64_MAX)
PLAIN_CONVERSION(f64, f32)
PLAIN_CONVERSION(f32, f64)
PLAIN_CONVERSION(f32, i32)
PLAIN_CONVERSION(f64, i32)
PLAIN_CONVERSION(u32, i32)
PLAIN_CONVERSION(i64, i32)
PLAIN_CONVERSION(f32, u32)
PLAIN_CONVERSION(f64, u32)
PLAIN_CONVERSION(i32, u32)
PLAIN_CONVERSION(i64, u32)
PLAIN_CONVERSION(f32, i64)
PLAIN_CONVERSION(f64, i64)
PLAIN_CONVERSION(i32, i64)
PLAIN_CONVERSION(u32, i64)
PLAIN_CONVERSION(f32, u8)
PLAIN_CONVERSION(f64, u8)
PLAIN_CONVERSION(i32, u8)
PLAIN_CONVERSION(u32, u8)
PLAIN_CONVERSION(i64, u8)
#define TRUTH(V) UNARY(convert_##V##_u8, u8, V, CONVERT(u8, a != 0) & 1)
TRUTH(f32)
TRUTH(f64)
TRUTH(i32)
TRUTH(u32)
TRUTH(i64)

#define SPLAT(V) \
  static void splat_##V(void *result, const void *const *o, intptr_t count) { \
    V##_element *d = result, value = *(const V##_element *)o[0]; \
    for (intptr_t i = 0; i < count; i += LANES) \
      if (i + LANES <= count) STORE(V, d + i, (V)value); \
      else for (intptr_t j = i; j < count; j++) d[j] = value; \
  }
SPLAT(u8)
SPLAT(u32)
SPLAT(i64)
