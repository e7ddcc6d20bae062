// What indices are checked with.

#pragma once
#include "vectors.h"

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
