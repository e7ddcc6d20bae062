// Sums of rows over segments of terms, narrow rows with all their columns in registers; and what indices must be.

#pragma once
#include "vectors.h"

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

static uint32_t largest_index(const int32_t *indices, intptr_t count) {
  u32 largest = 0;
  intptr_t i = 0;
  for (; i + LANES <= count; i += LANES) largest = __builtin_elementwise_max(largest, LOAD(u32, indices + i));
  if (i < count) largest = __builtin_elementwise_max(largest, LOAD_PART(u32, indices + i, count - i, 0));
  return __builtin_reduce_max(largest);
}

static int32_t longest_segment(const int32_t *offsets, intptr_t segments) {
  i32 least = 0, most = 0;
  intptr_t i = 0;
  for (; i + LANES <= segments; i += LANES) {
    const i32 length = LOAD(i32, offsets + i + 1) - LOAD(i32, offsets + i);
    least = __builtin_elementwise_min(least, length);
    most = __builtin_elementwise_max(most, length);
  }
  int32_t longest = __builtin_reduce_max(most);
  _Bool falls = __builtin_reduce_min(least) < 0;
  for (; i < segments; i++) {
    const int32_t length = offsets[i + 1] - offsets[i];
    falls = falls || length < 0;
    longest = length > longest ? length : longest;
  }
  return falls ? -1 : longest;
}
