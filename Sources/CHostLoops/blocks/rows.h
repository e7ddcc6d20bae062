// Operations on blocks whose points lie in rows: one operand is a block, the other one element per row, or one row
// that all rows share.
//
// Vectors run across the ends of rows, so that no row leaves a remainder; rows have at least LANES elements, and a
// vector meets two of them at most. What it needs of both is put together where a row ends.

#pragma once
#include "operations.h"

// The first `count` lanes of `a`, the others of `b`.
INLINE f32 either_f32(f32 a, f32 b, intptr_t count) {
  const i32 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lanes < (i32)(int32_t)count ? a : b;
}

// `result` of `a`, a vector of the block, and `b`, which has the row's element in each lane.
#define BY_ROW(name, V, result) \
  static void name(void *target, const void *const *o, intptr_t count) { \
    const HostRows *rows = o[2]; \
    V##_element *d = target; \
    const V##_element *p = o[0], *q = o[1]; \
    intptr_t left = rows->length - rows->first, i = 0; \
    V b = (V)*q; \
    while (i + LANES <= count) { \
      const intptr_t whole = (left < count - i ? left : count - i) & -LANES; \
      for (const intptr_t end = i + whole; i < end; i += LANES) { V a = LOAD(V, p + i); STORE(V, d + i, result); } \
      left -= whole; \
      if (i + LANES > count) break; \
      /* The row ends in this vector, or has just ended. */ \
      V next = (V)*++q; \
      if (left > 0) { \
        V a = LOAD(V, p + i); \
        b = either_##V(b, next, left); \
        STORE(V, d + i, result); \
        i += LANES; \
        left -= LANES; \
      } \
      left += rows->length; \
      b = next; \
    } \
    if (i < count) { \
      V a = LOAD_PART(V, p + i, count - i, 0); \
      if (left < count - i) b = either_##V(b, (V)q[1], left); \
      STORE_PART(V, d + i, result, count - i); \
    } \
  }

// The same where `b` is a vector of the row that all rows share.
#define BY_COLUMN(name, V, result) \
  static void name(void *target, const void *const *o, intptr_t count) { \
    const HostRows *rows = o[2]; \
    V##_element *d = target; \
    const V##_element *p = o[0], *q = o[1]; \
    /* The end of the row, then its beginning. */ \
    V##_element seam[2 * LANES]; \
    STORE(V, seam, LOAD(V, q + rows->length - LANES)); \
    STORE(V, seam + LANES, LOAD(V, q)); \
    intptr_t column = rows->first, i = 0; \
    while (i + LANES <= count) { \
      const intptr_t left = rows->length - column; \
      const intptr_t whole = (left < count - i ? left : count - i) & -LANES; \
      for (const intptr_t end = i + whole; i < end; i += LANES, column += LANES) { \
        V a = LOAD(V, p + i), b = LOAD(V, q + column); \
        STORE(V, d + i, result); \
      } \
      if (i + LANES > count) break; \
      if (column < rows->length) { \
        V a = LOAD(V, p + i), b = LOAD(V, seam + LANES - (rows->length - column)); \
        STORE(V, d + i, result); \
        i += LANES; \
        column += LANES; \
      } \
      column -= rows->length; \
    } \
    if (i < count) { \
      const intptr_t left = rows->length - column; \
      V a = LOAD_PART(V, p + i, count - i, 0), b = left >= LANES ? LOAD(V, q + column) : LOAD(V, seam + LANES - left); \
      STORE_PART(V, d + i, result, count - i); \
    } \
  }

// An operation with its second or first operand (which `b` is) by row and by column.
#define BY_ROWS(name, V) \
  BY_ROW(name##_second_by_row, V, name##_lanes(a, b)) \
  BY_ROW(name##_first_by_row, V, name##_lanes(b, a)) \
  BY_COLUMN(name##_second_by_column, V, name##_lanes(a, b)) \
  BY_COLUMN(name##_first_by_column, V, name##_lanes(b, a))
BY_ROWS(add_f32, f32)
BY_ROWS(subtract_f32, f32)
BY_ROWS(multiply_f32, f32)
BY_ROWS(divide_f32, f32)

// Repeats one element per row over the row, which may be of any length.
#define SPREAD(V) \
  static void spread_##V(void *result, const void *const *o, intptr_t count) { \
    const HostRows *rows = o[1]; \
    V##_element *d = result; \
    const V##_element *q = o[0]; \
    intptr_t left = rows->length - rows->first; \
    for (intptr_t i = 0; i < count; left = rows->length, q++) { \
      const intptr_t end = i + (left < count - i ? left : count - i); \
      const V value = (V)*q; \
      /* The last vector goes on into the next rows, which are stored after it. */ \
      for (; i < end && i + LANES <= count; i += LANES) STORE(V, d + i, value); \
      for (; i < end; i++) d[i] = *q; \
      i = end; \
    } \
  }
SPREAD(u8)
SPREAD(u32)
SPREAD(i64)
