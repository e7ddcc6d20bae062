// Sums of rows over segments of terms, narrow rows with all their columns in registers.

#pragma once
#include "vectors.h"

// The sums of one segment's columns from `first` and from `second` on, WIDTH of each; both stretches may overlap.
// Two chains of additions, so that one waits while the other adds.
#define SEGMENT_STRETCHES(WIDTH) \
  typedef float segment_##WIDTH __attribute__((ext_vector_type(WIDTH), aligned(4), may_alias)); \
  INLINE void sum_stretches_##WIDTH( \
    float *result, const float *values, const HostTerms *terms, _Bool weighted, intptr_t start, intptr_t end, \
    intptr_t columns, intptr_t first, intptr_t second) { \
    segment_##WIDTH one = 0, two = 0; \
    for (intptr_t j = start; j < end; j++) { \
      const intptr_t term = terms->order[j]; \
      const float *row = values + (weighted ? (intptr_t)terms->sources[term] : term) * columns; \
      const segment_##WIDTH a = *(const segment_##WIDTH *)(row + first); \
      const segment_##WIDTH b = *(const segment_##WIDTH *)(row + second); \
      if (weighted) { \
        one += a * terms->weights[term]; \
        two += b * terms->weights[term]; \
      } else { \
        one += a; \
        two += b; \
      } \
    } \
    *(segment_##WIDTH *)(result + first) = one; \
    *(segment_##WIDTH *)(result + second) = two; \
  }
SEGMENT_STRETCHES(16)
SEGMENT_STRETCHES(8)
SEGMENT_STRETCHES(4)
SEGMENT_STRETCHES(2)

// Segments of rows with `WIDTH` columns or more, and fewer than twice as many unless that is the greatest width:
// the last stretches end with the row, over columns that others have summed where the width does not divide it.
#define SUM_SEGMENTS(WIDTH) \
  INLINE void sum_segments_##WIDTH( \
    float *result, const float *values, const HostTerms *terms, _Bool weighted, const int32_t *offsets, \
    intptr_t first, intptr_t end, intptr_t limit, intptr_t columns) { \
    for (intptr_t r = first; r < end; r++) { \
      if (offsets[r + 1] - offsets[r] > limit) continue; \
      for (intptr_t c = 0; c < columns; c += 2 * WIDTH) { \
        const intptr_t last = columns - WIDTH; \
        sum_stretches_##WIDTH( \
          result + r * columns, values, terms, weighted, offsets[r], offsets[r + 1], columns, \
          c < last ? c : last, c + WIDTH < last ? c + WIDTH : last); \
      } \
    } \
  }
SUM_SEGMENTS(16)
SUM_SEGMENTS(8)
SUM_SEGMENTS(4)
SUM_SEGMENTS(2)

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
