// Sums and extremes of rows over segments of terms, narrow rows with all their columns in registers.

#pragma once
#include "folds.h"

// The sums of WIDTH columns of one segment from `first` on, or of these and of WIDTH from `second` on, where both
// stretches may overlap: two chains of additions, so that one waits while the other adds.
#define SEGMENT_STRETCHES(WIDTH) \
  typedef float segment_##WIDTH __attribute__((ext_vector_type(WIDTH), aligned(4), may_alias)); \
  INLINE void sum_stretches_##WIDTH( \
    float *result, const float *values, const HostTerms *terms, _Bool weighted, intptr_t start, intptr_t end, \
    intptr_t columns, intptr_t first, intptr_t second, _Bool both) { \
    segment_##WIDTH one = 0, two = 0; \
    for (intptr_t j = start; j < end; j++) { \
      const intptr_t term = terms->order[j]; \
      const float *row = values + (weighted ? (intptr_t)terms->sources[term] : term) * columns; \
      const segment_##WIDTH a = *(const segment_##WIDTH *)(row + first); \
      if (weighted) one += a * terms->weights[term]; \
      else one += a; \
      if (!both) continue; \
      const segment_##WIDTH b = *(const segment_##WIDTH *)(row + second); \
      if (weighted) two += b * terms->weights[term]; \
      else two += b; \
    } \
    *(segment_##WIDTH *)(result + first) = one; \
    if (both) *(segment_##WIDTH *)(result + second) = two; \
  }
SEGMENT_STRETCHES(16)
SEGMENT_STRETCHES(8)
SEGMENT_STRETCHES(4)
SEGMENT_STRETCHES(2)

// Segments of rows with `WIDTH` columns or more, and fewer than twice as many unless that is the greatest width:
// the last stretch ends with the row, over columns that another has summed where the width does not divide it.
#define SUM_SEGMENTS(WIDTH) \
  INLINE void sum_segments_##WIDTH( \
    float *result, const float *values, const HostTerms *terms, _Bool weighted, const int32_t *offsets, \
    intptr_t first, intptr_t end, intptr_t limit, intptr_t columns) { \
    const intptr_t last = columns - WIDTH; \
    for (intptr_t r = first; r < end; r++) { \
      const intptr_t from = offsets[r], to = offsets[r + 1]; \
      if (to - from > limit) continue; \
      float *row = result + r * columns; \
      intptr_t c = 0; \
      for (; c < last; c += 2 * WIDTH) \
        sum_stretches_##WIDTH( \
          row, values, terms, weighted, from, to, columns, c, c + WIDTH < last ? c + WIDTH : last, 1); \
      if (c < columns) sum_stretches_##WIDTH(row, values, terms, weighted, from, to, columns, last, last, 0); \
    } \
  }
SUM_SEGMENTS(16)
SUM_SEGMENTS(8)
SUM_SEGMENTS(4)
SUM_SEGMENTS(2)

// Segments of rows with fewer than `WIDTH` columns, where the level loads parts of a register: half the additions of
// two stretches that overlap.
#define SUM_NARROW_SEGMENTS(WIDTH) \
  INLINE void sum_narrow_segments_##WIDTH( \
    float *result, const float *values, const HostTerms *terms, _Bool weighted, const int32_t *offsets, \
    intptr_t first, intptr_t end, intptr_t limit, intptr_t columns) { \
    for (intptr_t r = first; r < end; r++) { \
      if (offsets[r + 1] - offsets[r] > limit) continue; \
      segment_##WIDTH total = 0; \
      for (intptr_t j = offsets[r]; j < offsets[r + 1]; j++) { \
        const intptr_t term = terms->order[j]; \
        const float *row = values + (weighted ? (intptr_t)terms->sources[term] : term) * columns; \
        const segment_##WIDTH a = (segment_##WIDTH)HOST_LOAD_PART_##WIDTH(row, columns); \
        if (weighted) total += a * terms->weights[term]; \
        else total += a; \
      } \
      HOST_STORE_PART_##WIDTH(result + r * columns, total, columns); \
    } \
  }
#ifdef HOST_LOAD_PART_8
SUM_NARROW_SEGMENTS(8)
#endif
#ifdef HOST_LOAD_PART_16
SUM_NARROW_SEGMENTS(16)
#endif

INLINE void sum_segments_1(
  float *result, const float *values, const HostTerms *terms, _Bool weighted, const int32_t *offsets, intptr_t first,
  intptr_t end, intptr_t limit) {
  for (intptr_t r = first; r < end; r++) {
    if (offsets[r + 1] - offsets[r] > limit) continue;
    float total = 0;
    for (intptr_t j = offsets[r]; j < offsets[r + 1]; j++) {
      const intptr_t term = terms->order[j];
      total += weighted ? values[terms->sources[term]] * terms->weights[term] : values[term];
    }
    result[r] = total;
  }
}

INLINE void sum_segments_of(
  float *result, const float *values, const HostTerms *terms, _Bool weighted, const int32_t *offsets, intptr_t first,
  intptr_t end, intptr_t limit, intptr_t columns) {
  if (columns >= 16) sum_segments_16(result, values, terms, weighted, offsets, first, end, limit, columns);
  else if (columns >= 8) sum_segments_8(result, values, terms, weighted, offsets, first, end, limit, columns);
  else if (columns >= 4) sum_segments_4(result, values, terms, weighted, offsets, first, end, limit, columns);
  else if (columns >= 2) sum_segments_2(result, values, terms, weighted, offsets, first, end, limit, columns);
  else if (columns == 1) sum_segments_1(result, values, terms, weighted, offsets, first, end, limit);
}

static void sum_segments(
  float *result, const float *values, const HostTerms *terms, const int32_t *offsets, intptr_t first, intptr_t end,
  intptr_t limit, intptr_t columns) {
  if (terms->weights) sum_segments_of(result, values, terms, 1, offsets, first, end, limit, columns);
  else sum_segments_of(result, values, terms, 0, offsets, first, end, limit, columns);
}

// The extremes of one segment's columns from `first` on, WIDTH of them.
#define EXTREME_STRETCH(name, T, WIDTH, COMBINE) \
  typedef T name##_stretch_##WIDTH __attribute__((ext_vector_type(WIDTH))); \
  typedef T name##_memory_##WIDTH __attribute__((ext_vector_type(WIDTH), aligned(4), may_alias)); \
  INLINE void name##_##WIDTH( \
    T *result, const T *values, const int32_t *order, intptr_t count, intptr_t columns, intptr_t first) { \
    name##_stretch_##WIDTH best = *(const name##_memory_##WIDTH *)(values + order[0] * columns + first); \
    for (intptr_t j = 1; j < count; j++) { \
      name##_stretch_##WIDTH next = *(const name##_memory_##WIDTH *)(values + order[j] * columns + first); \
      best = COMBINE(next, best); \
    } \
    *(name##_memory_##WIDTH *)(result + first) = best; \
  }

// All columns of one segment, at least WIDTH of them: the last stretch ends with the row, over columns that others have
// done where the width does not divide it.
#define EXTREME_COLUMNS(name, WIDTH) \
  for (intptr_t c = 0; c < columns; c += WIDTH) \
    name##_##WIDTH(d, values, terms, count, columns, c < columns - WIDTH ? c : columns - WIDTH)

#define EXTREME_SEGMENTS(name, T, COMBINE) \
  EXTREME_STRETCH(name, T, 16, COMBINE) \
  EXTREME_STRETCH(name, T, 8, COMBINE) \
  EXTREME_STRETCH(name, T, 4, COMBINE) \
  EXTREME_STRETCH(name, T, 2, COMBINE) \
  static void name( \
    void *result, const void *from, const int32_t *order, const int32_t *offsets, intptr_t first, intptr_t end, \
    intptr_t columns, const void *empty) { \
    const T *values = from; \
    for (intptr_t r = first; r < end; r++) { \
      T *d = (T *)result + r * columns; \
      const int32_t *terms = order + offsets[r]; \
      const intptr_t count = offsets[r + 1] - offsets[r]; \
      if (count == 0) { \
        for (intptr_t c = 0; c < columns; c++) d[c] = *(const T *)empty; \
      } else if (columns >= 16) { \
        EXTREME_COLUMNS(name, 16); \
      } else if (columns >= 8) { \
        EXTREME_COLUMNS(name, 8); \
      } else if (columns >= 4) { \
        EXTREME_COLUMNS(name, 4); \
      } else if (columns >= 2) { \
        EXTREME_COLUMNS(name, 2); \
      } else if (columns == 1) { \
        T best = values[terms[0]]; \
        for (intptr_t j = 1; j < count; j++) { T next = values[terms[j]]; best = COMBINE(next, best); } \
        *d = best; \
      } \
    } \
  }
EXTREME_SEGMENTS(segment_maximum_f32, float, COMBINE_MAXIMUM)
EXTREME_SEGMENTS(segment_minimum_f32, float, COMBINE_MINIMUM)
EXTREME_SEGMENTS(segment_maximum_f64, double, COMBINE_MAXIMUM)
EXTREME_SEGMENTS(segment_minimum_f64, double, COMBINE_MINIMUM)
EXTREME_SEGMENTS(segment_maximum_i32, int32_t, COMBINE_MAXIMUM)
EXTREME_SEGMENTS(segment_minimum_i32, int32_t, COMBINE_MINIMUM)
