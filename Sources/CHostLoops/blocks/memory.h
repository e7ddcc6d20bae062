// Filling registers from memory and spilling them to it, with strides and narrow storage types.

#pragma once
#include "vectors.h"

// bfloat16 is the upper half of a float; rounding is to nearest, ties to even, and NaN stays NaN.
INLINE f32 widen_bfloat16(u16 a) { return BITS(f32, CONVERT(u32, a) << 16); }
INLINE u16 narrow_bfloat16(f32 a) {
  u32 bits = BITS(u32, a);
  u32 rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  return CONVERT(u16, a != a ? (bits >> 16) | 0x40u : rounded);
}

#if HOST_HAS_HALF
INLINE f32 widen_float16(u16 a) { return CONVERT(f32, BITS(f16, a)); }
INLINE u16 narrow_float16(f32 a) { return BITS(u16, CONVERT(f16, a)); }
#else
INLINE f32 widen_float16(u16 a) {
  u32 bits = CONVERT(u32, a), sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7FFFu;
  // Shifted into place a half is a float whose exponent is 112 too small, denormals included.
  f32 finite = BITS(f32, magnitude << 13) * 0x1p112f;
  u32 special = (magnitude << 13) | 0x7F800000u | (CONVERT(u32, magnitude > 0x7C00u) & 0x00400000u);
  return BITS(f32, (magnitude >= 0x7C00u ? special : BITS(u32, finite)) | sign);
}
INLINE u16 narrow_float16(f32 a) {
  u32 bits = BITS(u32, a), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  u32 normal = (magnitude + 0xFFFu + ((magnitude >> 13) & 1u) - 0x38000000u) >> 13;
  // Adding 1/2 puts the last bit of a denormal half at the last bit of a float.
  u32 small = BITS(u32, BITS(f32, magnitude) + 0.5f) - 0x3F000000u;
  u32 result = magnitude < 0x38800000u ? small : normal;
  result = magnitude >= 0x477FF000u ? (u32)0x7C00u : result;
  result = magnitude > 0x7F800000u ? ((magnitude >> 13) & 0x3FFu) | 0x7E00u : result;
  return CONVERT(u16, result | sign);
}
#endif

// Loads S from memory and gives R; `expression` converts the S called `a`.
#define FILL(name, R, R_element, S, S_element, expression) \
  INLINE R name##_lanes(S a) { return (expression); } \
  INLINE R_element name##_one(S_element value) { return name##_lanes((S)value)[0]; } \
  static void name(void *result, const void *source, intptr_t rows, intptr_t columns, intptr_t row_stride, \
    intptr_t column_stride) { \
    R_element *d = result; \
    const S_element *base = source; \
    if (column_stride == 1 && columns >= LANES) { \
      for (intptr_t r = 0; r < rows; r++, d += columns, base += row_stride) { \
        intptr_t c = 0; \
        for (; c + LANES <= columns; c += LANES) STORE(R, d + c, name##_lanes(LOAD(S, base + c))); \
        /* The last lanes overlap the ones before. */ \
        if (c < columns) STORE(R, d + columns - LANES, name##_lanes(LOAD(S, base + columns - LANES))); \
      } \
    } else if (column_stride == 0 && columns >= LANES) { \
      for (intptr_t r = 0; r < rows; r++, d += columns, base += row_stride) { \
        R value = name##_lanes((S)*base); \
        for (intptr_t c = 0; c + LANES <= columns; c += LANES) STORE(R, d + c, value); \
        STORE(R, d + columns - LANES, value); \
      } \
    } else if (column_stride == 0 && columns > 1) { \
      /* A vector for each row, which reaches into the rows after it: these come later. */ \
      const R_element *end = d + rows * columns; \
      intptr_t r = 0; \
      for (; r < rows && end - d >= LANES; r++, d += columns, base += row_stride) \
        STORE(R, d, name##_lanes((S)*base)); \
      for (; r < rows; r++, d += columns, base += row_stride) \
        for (intptr_t c = 0; c < columns; c++) d[c] = name##_one(*base); \
    } else if (row_stride == 1 && rows >= LANES) { \
      /* A transposed tile: along memory, so that every cache line is met once. */ \
      for (intptr_t c = 0; c < columns; c++) { \
        const S_element *p = base + c * column_stride; \
        intptr_t r = 0; \
        for (; r + LANES <= rows; r += LANES) { \
          R value = name##_lanes(LOAD(S, p + r)); \
          for (int lane = 0; lane < LANES; lane++) d[(r + lane) * columns + c] = value[lane]; \
        } \
        for (; r < rows; r++) d[r * columns + c] = name##_one(p[r]); \
      } \
    } else { \
      for (intptr_t r = 0; r < rows; r++, d += columns, base += row_stride) { \
        const S_element *p = base; \
        intptr_t c = 0; \
        for (; c + 4 <= columns; c += 4, p += 4 * column_stride) { \
          S_element a = p[0], b = p[column_stride], e = p[2 * column_stride], f = p[3 * column_stride]; \
          d[c] = name##_one(a); d[c + 1] = name##_one(b); d[c + 2] = name##_one(e); d[c + 3] = name##_one(f); \
        } \
        for (; c < columns; c++, p += column_stride) d[c] = name##_one(*p); \
      } \
    } \
  }

// Stores S made from R.
#define SPILL(name, R, R_element, S, S_element, expression) \
  INLINE S name##_lanes(R a) { return (expression); } \
  INLINE S_element name##_one(R_element value) { return name##_lanes((R)value)[0]; } \
  static void name(void *target, const void *values, intptr_t rows, intptr_t columns, intptr_t row_stride, \
    intptr_t column_stride) { \
    S_element *base = target; \
    const R_element *p = values; \
    for (intptr_t r = 0; r < rows; r++, p += columns, base += row_stride) { \
      intptr_t c = 0; \
      if (column_stride == 1) \
        for (; c + LANES <= columns; c += LANES) STORE(S, base + c, name##_lanes(LOAD(R, p + c))); \
      for (; c < columns; c++) base[c * column_stride] = name##_one(p[c]); \
    } \
  }

typedef uint16_t u16_element;

FILL(fill_8, u8, uint8_t, u8, uint8_t, a)
FILL(fill_32, u32, uint32_t, u32, uint32_t, a)
FILL(fill_64, i64, int64_t, i64, int64_t, a)
FILL(fill_float16, f32, float, u16, uint16_t, widen_float16(a))
FILL(fill_bfloat16, f32, float, u16, uint16_t, widen_bfloat16(a))
FILL(fill_uint8, u32, uint32_t, u8, uint8_t, CONVERT(u32, a))
SPILL(spill_8, u8, uint8_t, u8, uint8_t, a)
SPILL(spill_32, u32, uint32_t, u32, uint32_t, a)
SPILL(spill_64, i64, int64_t, i64, int64_t, a)
SPILL(spill_float16, f32, float, u16, uint16_t, narrow_float16(a))
SPILL(spill_bfloat16, f32, float, u16, uint16_t, narrow_bfloat16(a))
SPILL(spill_uint8, u32, uint32_t, u8, uint8_t, CONVERT(u8, a & 0xFFu))

UNARY(round_to_float16, f32, f32, widen_float16(narrow_float16(a)))
UNARY(round_to_bfloat16, f32, f32, widen_bfloat16(narrow_bfloat16(a)))
UNARY(keep_low_byte, u32, u32, a & 0xFFu)
