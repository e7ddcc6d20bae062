// Folds over rows and columns of blocks.
//
// Orders are fixed by the counts alone. A row of at least 32 values is folded in 32 lanes, which are then
// folded as a tree; so the error of a long sum grows with a 32nd of its length, and for float not at all
// visibly, since sums of float are kept in double.

#pragma once
#include "vectors.h"

#define COMBINE_SUM(a, b) ((a) + (b))
#define COMBINE_PRODUCT(a, b) ((a) * (b))
#define COMBINE_MAXIMUM(a, b) ((((a) > (b)) | ((a) != (a))) ? (a) : (b))
#define COMBINE_MINIMUM(a, b) ((((a) < (b)) | ((a) != (a))) ? (a) : (b))
#define COMBINE_OR(a, b) ((a) | (b))
#define COMBINE_AND(a, b) ((a) & (b))

// A fold `name` of V values in A accumulators.
#define FOLD(name, A, V, identity, COMBINE) \
  static void name##_start(void *accumulators, int32_t *positions, intptr_t count, int32_t position) { \
    A##_element *d = accumulators; \
    for (intptr_t i = 0; i < count; i++) d[i] = (A##_element)(identity); \
  } \
  static void name##_rows(void *accumulators, int32_t *positions, const void *values, intptr_t rows, intptr_t length, \
    int32_t position) { \
    A##_element *d = accumulators; \
    const V##_element *p = values; \
    for (intptr_t r = 0; r < rows; r++, p += length) { \
      A##_element total = d[r]; \
      intptr_t i = 0; \
      if (length >= 2 * LANES) { \
        A first = (A)(A##_element)(identity), second = first; \
        for (; i + 2 * LANES <= length; i += 2 * LANES) { \
          A a = CONVERT(A, LOAD(V, p + i)), b = CONVERT(A, LOAD(V, p + i + LANES)); \
          first = COMBINE(first, a); \
          second = COMBINE(second, b); \
        } \
        first = COMBINE(first, second); \
        __typeof__(first.lo) eight = COMBINE(first.lo, first.hi); \
        __typeof__(eight.lo) four = COMBINE(eight.lo, eight.hi); \
        __typeof__(four.lo) two = COMBINE(four.lo, four.hi); \
        A##_element one = COMBINE(two.x, two.y); \
        total = COMBINE(total, one); \
      } \
      for (; i < length; i++) { A##_element value = (A##_element)p[i]; total = COMBINE(total, value); } \
      d[r] = total; \
    } \
  } \
  static void name##_columns(void *accumulators, int32_t *positions, const void *values, intptr_t rows, intptr_t length, \
    int32_t position) { \
    A##_element *d = accumulators; \
    const V##_element *p = values; \
    intptr_t i = 0; \
    for (; i + LANES <= length; i += LANES) { \
      A total = LOAD(A, d + i); \
      for (intptr_t r = 0; r < rows; r++) { A a = CONVERT(A, LOAD(V, p + r * length + i)); total = COMBINE(total, a); } \
      STORE(A, d + i, total); \
    } \
    for (; i < length; i++) { \
      A##_element total = d[i]; \
      for (intptr_t r = 0; r < rows; r++) { A##_element a = (A##_element)p[r * length + i]; total = COMBINE(total, a); } \
      d[i] = total; \
    } \
  } \
  static void name##_merge(void *accumulators, int32_t *positions, const void *later, const int32_t *later_positions, \
    intptr_t count) { \
    A##_element *d = accumulators; \
    const A##_element *p = later; \
    for (intptr_t i = 0; i < count; i++) d[i] = COMBINE(d[i], p[i]); \
  } \
  static void name##_finish(void *result, const void *accumulators, intptr_t count) { \
    V##_element *d = result; \
    const A##_element *p = accumulators; \
    for (intptr_t i = 0; i < count; i++) d[i] = (V##_element)p[i]; \
  }

typedef uint64_t u64_element;

FOLD(sum_f32, f64, f32, 0, COMBINE_SUM)
FOLD(sum_f64, f64, f64, 0, COMBINE_SUM)
FOLD(sum_u32, u32, u32, 0, COMBINE_SUM)
FOLD(sum_u64, u64, u64, 0, COMBINE_SUM)
FOLD(sum_u8, u8, u8, 0, COMBINE_OR)
FOLD(product_f32, f64, f32, 1, COMBINE_PRODUCT)
FOLD(product_f64, f64, f64, 1, COMBINE_PRODUCT)
FOLD(product_u32, u32, u32, 1, COMBINE_PRODUCT)
FOLD(product_u64, u64, u64, 1, COMBINE_PRODUCT)
FOLD(product_u8, u8, u8, 1, COMBINE_AND)
FOLD(maximum_f32, f32, f32, -INFINITY, COMBINE_MAXIMUM)
FOLD(maximum_f64, f64, f64, -INFINITY, COMBINE_MAXIMUM)
FOLD(maximum_i32, i32, i32, INT32_MIN, COMBINE_MAXIMUM)
FOLD(maximum_u32, u32, u32, 0, COMBINE_MAXIMUM)
FOLD(maximum_i64, i64, i64, INT64_MIN, COMBINE_MAXIMUM)
FOLD(minimum_f32, f32, f32, INFINITY, COMBINE_MINIMUM)
FOLD(minimum_f64, f64, f64, INFINITY, COMBINE_MINIMUM)
FOLD(minimum_i32, i32, i32, INT32_MAX, COMBINE_MINIMUM)
FOLD(minimum_u32, u32, u32, UINT32_MAX, COMBINE_MINIMUM)
FOLD(minimum_i64, i64, i64, INT64_MAX, COMBINE_MINIMUM)

// Positions of extremes. `value` beats `best` when it is strictly better, or the first NaN.
#define BEATS(BETTER, value, best) (((value) BETTER (best)) | (((value) != (value)) & ((best) == (best))))

#define ARGUMENT_FOLD(name, V, identity, BETTER, COMBINE) \
  static void name##_start(void *accumulators, int32_t *positions, intptr_t count, int32_t position) { \
    V##_element *d = accumulators; \
    for (intptr_t i = 0; i < count; i++) { d[i] = (V##_element)(identity); positions[i] = position; } \
  } \
  static void name##_rows(void *accumulators, int32_t *positions, const void *values, intptr_t rows, intptr_t length, \
    int32_t position) { \
    V##_element *d = accumulators; \
    const V##_element *p = values; \
    for (intptr_t r = 0; r < rows; r++, p += length) { \
      V##_element best = (V##_element)(identity); \
      intptr_t i = 0; \
      if (length >= LANES) { \
        V lanes = (V)best; \
        for (; i + LANES <= length; i += LANES) { V a = LOAD(V, p + i); lanes = COMBINE(lanes, a); } \
        for (int j = 0; j < LANES; j++) { V##_element a = lanes[j]; best = COMBINE(best, a); } \
      } \
      for (; i < length; i++) { V##_element a = p[i]; best = COMBINE(best, a); } \
      if (!BEATS(BETTER, best, d[r])) continue; \
      d[r] = best; \
      for (i = 0; i < length; i++) if ((p[i] == best) | ((best != best) & (p[i] != p[i]))) break; \
      positions[r] = position + (int32_t)i; \
    } \
  } \
  static void name##_columns(void *accumulators, int32_t *positions, const void *values, intptr_t rows, intptr_t length, \
    int32_t position) { \
    V##_element *d = accumulators; \
    const V##_element *p = values; \
    for (intptr_t r = 0; r < rows; r++, p += length, position++) \
      for (intptr_t i = 0; i < length; i++) { \
        int beats = BEATS(BETTER, p[i], d[i]); \
        d[i] = beats ? p[i] : d[i]; \
        positions[i] = beats ? position : positions[i]; \
      } \
  } \
  static void name##_merge(void *accumulators, int32_t *positions, const void *later, const int32_t *later_positions, \
    intptr_t count) { \
    V##_element *d = accumulators; \
    const V##_element *p = later; \
    for (intptr_t i = 0; i < count; i++) \
      if (BEATS(BETTER, p[i], d[i])) { d[i] = p[i]; positions[i] = later_positions[i]; } \
  }

#define ARGUMENT_FOLDS(V, lowest, highest) \
  ARGUMENT_FOLD(argument_maximum_##V, V, lowest, >, COMBINE_MAXIMUM) \
  ARGUMENT_FOLD(argument_minimum_##V, V, highest, <, COMBINE_MINIMUM)
ARGUMENT_FOLDS(f32, -INFINITY, INFINITY)
ARGUMENT_FOLDS(f64, -INFINITY, INFINITY)
ARGUMENT_FOLDS(i32, INT32_MIN, INT32_MAX)
ARGUMENT_FOLDS(u32, 0, UINT32_MAX)
ARGUMENT_FOLDS(i64, INT64_MIN, INT64_MAX)
ARGUMENT_FOLDS(u8, 0, 1)
