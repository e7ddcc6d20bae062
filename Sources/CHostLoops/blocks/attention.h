// The rows of an attention between its matrix products.

#pragma once
#include "../gemm_transpose.h"
#include "elementary.h"

// A score at or below this does not count. See `Attention` of the tensors.
#define FORBIDDEN -1e30f
#define LOWEST -1.7e38f

// How many keys of a block a query may read.
INLINE intptr_t attention_count(const HostAttentionBlock *block, intptr_t query) {
  const intptr_t count = block->count + query * block->count_step;
  return count < 0 ? 0 : count > block->keys ? block->keys : count;
}

// The scores of a query with the 16 keys from `i` on; of a row's last keys, which do not fill a vector, the other lanes
// are made not to count.
INLINE f32 attention_scores(
  const HostAttentionBlock *block, const int has_mask, intptr_t query, intptr_t count, const float *products,
  intptr_t i) {
  f32 score = LOAD(f32, products + i) * block->scale;
  const intptr_t at = query * block->mask_row_step + i, rest = block->mask_count - at;
  if (i + LANES <= count) {
    if (has_mask) score += block->mask_step ? LOAD(f32, block->mask + at) : (f32)block->mask[at - i];
    return score;
  }
  if (has_mask && block->mask_step)
    score += rest >= LANES ? LOAD(f32, block->mask + at) : LOAD_PART(f32, block->mask + at, rest, 0);
  else if (has_mask) score += (f32)block->mask[at - i];
  const i32 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lane < (i32)(int32_t)(count - i) ? score : (f32)LOWEST;
}

// e^x for x <= 0, and 0 where that is no normal number: an exponential that underflows takes processors some hundred
// cycles. As exp_f32, without the steps that only large and denormal results need.
INLINE f32 attention_exp(f32 x) {
  const float magic = 12582912.0f + 127.0f;
  f32 t = x * 1.44269504088896341f + magic;
  f32 n = t - magic;
  f32 r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  f32 y = exp_tail_f32(r) * (r * r) + r + 1.0f;
  // The exponent's bits are the last of t; a NaN stays, by y. Whatever comes of what is too low is dropped.
  y = y * BITS(f32, BITS(i32, t) << 23);
  return x < -87.0f ? (f32)0 : y;
}

// The weights of scores of which the largest is `level`, or whose logarithm of the sum of exponentials it is: what does
// not count is so far below that they are 0, unless nothing counts.
INLINE f32 attention_weights(f32 score, float level) {
  return attention_exp(score <= FORBIDDEN ? (f32)LOWEST : score - level);
}

#define UNROLLED _Pragma("clang loop unroll(full)")
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SUM(a, b) ((a) + (b))
// Lane r of the result is row r's elements together: rows are exchanged as a transposition does, and halved each time.
#define TOGETHER(rows, OPERATION) ({ \
    UNROLLED for (int i = 0; i < 8; i++) { SWAP16_8(rows, i) rows[i] = OPERATION(rows[i], rows[i + 8]); } \
    UNROLLED for (int i = 0; i < 4; i++) { SWAP16_4(rows, i) rows[i] = OPERATION(rows[i], rows[i + 4]); } \
    UNROLLED for (int i = 0; i < 2; i++) { SWAP16_2(rows, i) rows[i] = OPERATION(rows[i], rows[i + 2]); } \
    SWAP16_1(rows, 0) \
    OPERATION(rows[0], rows[1]); \
  })

static void attention_scale(float *values, float factor, intptr_t count) {
  for (intptr_t i = 0; i < count; i += LANES) {
    intptr_t rest = count - i;
    if (rest >= LANES) STORE(f32, values + i, LOAD(f32, values + i) * factor);
    else STORE_PART(f32, values + i, LOAD_PART(f32, values + i, rest, 0) * factor, rest);
  }
}

// The largest score of each lane; the scores take the products' places.
INLINE f32 attention_tops(const HostAttentionBlock *block, const int has_mask, intptr_t query, float *products) {
  const intptr_t count = attention_count(block, query);
  f32 tops = (f32)LOWEST;
  for (intptr_t i = 0; i < count; i += LANES) {
    f32 score = attention_scores(block, has_mask, query, count, products, i);
    // A NaN is no top, but reaches the result by its weight.
    tops = LARGER(score, tops);
    STORE(f32, products + i, score);
  }
  return tops;
}

// The weights' sum in each lane; they take the scores' places.
INLINE f32 attention_sums(const HostAttentionBlock *block, intptr_t query, float *scores, float top) {
  const intptr_t count = attention_count(block, query);
  f32 sums = 0;
  intptr_t i = 0;
  for (; i < count; i += LANES) {
    f32 weight = top > FORBIDDEN ? attention_exp(LOAD(f32, scores + i) - top)
                                 : attention_weights(LOAD(f32, scores + i), top);
    sums += weight;
    STORE(f32, scores + i, weight);
  }
  for (; i < block->keys; i += LANES) STORE(f32, scores + i, (f32)0);
  return sums;
}

// Sixteen rows at a time: what is one number for a row is then a lane of a vector.
INLINE void attention_softmax_rows(
  const HostAttentionBlock *block, const int has_mask, float *products, float *tops, float *totals, float *results,
  intptr_t result_step, intptr_t width) {
  for (intptr_t first = 0; first < block->queries; first += LANES) {
    const intptr_t rows = block->queries - first < LANES ? block->queries - first : LANES;
    float *scores = products + first * block->step;
    f32 lanes[LANES];
    for (intptr_t r = 0; r < rows; r++)
      lanes[r] = attention_tops(block, has_mask, first + r, scores + r * block->step);
    for (intptr_t r = rows; r < LANES; r++) lanes[r] = (f32)LOWEST;
    const f32 level = LOAD(f32, tops + first), found = TOGETHER(lanes, LARGER), next = LARGER(found, level);
    STORE(f32, tops + first, next);
    for (intptr_t r = 0; r < rows; r++)
      lanes[r] = attention_sums(block, first + r, scores + r * block->step, tops[first + r]);
    for (intptr_t r = rows; r < LANES; r++) lanes[r] = (f32)0;
    f32 total = TOGETHER(lanes, SUM);
    if (results) {
      const f32 factor = level <= FORBIDDEN ? (f32)0 : exp_f32(level - next);
      total += LOAD(f32, totals + first) * factor;
      for (intptr_t r = 0; r < rows; r++)
        if (factor[r] != 1) attention_scale(results + (first + r) * result_step, factor[r], width);
    }
    STORE(f32, totals + first, total);
  }
}

static void attention_softmax(
  const HostAttentionBlock *block, float *products, float *tops, float *totals, float *results, intptr_t result_step,
  intptr_t width) {
  // A copy that no store can change stays in registers.
  const HostAttentionBlock own = *block;
  if (own.mask) attention_softmax_rows(&own, 1, products, tops, totals, results, result_step, width);
  else attention_softmax_rows(&own, 0, products, tops, totals, results, result_step, width);
}

static void attention_finish(
  intptr_t queries, const float *tops, const float *totals, float *sums, float *results, intptr_t result_step,
  intptr_t width) {
  for (intptr_t first = 0; first < queries; first += LANES) {
    const intptr_t rows = queries - first < LANES ? queries - first : LANES;
    const f32 total = LOAD(f32, totals + first);
    // A row that may read nothing has the sum 0 and stays 0.
    const f32 level = total == 0 ? (f32)LOWEST : LOAD(f32, tops + first) + log_f32(total);
    const f32 factor = total == 0 ? (f32)1 : 1 / total;
    if (rows == LANES) STORE(f32, sums + first, level);
    else STORE_PART(f32, sums + first, level, rows);
    for (intptr_t r = 0; r < rows; r++) attention_scale(results + (first + r) * result_step, factor[r], width);
  }
}

INLINE void attention_change_rows(
  const HostAttentionBlock *block, const int has_mask, float *products, float *changes, const float *levels,
  const float *less) {
  for (intptr_t r = 0; r < block->queries; r++, products += block->step, changes += block->step) {
    const intptr_t count = attention_count(block, r);
    const float level = levels[r];
    intptr_t i = 0;
    for (; i < count; i += LANES) {
      f32 score = attention_scores(block, has_mask, r, count, products, i);
      // A row of which nothing counts has the lowest level, which weights must not be taken from.
      f32 weight = level > FORBIDDEN ? attention_exp(score - level) : attention_weights(score, level);
      STORE(f32, products + i, weight);
      f32 change = weight * (LOAD(f32, changes + i) - less[r]) * block->scale;
      // Behind the last key there may be anything.
      if (i + LANES > count) change = score <= LOWEST ? (f32)0 : change;
      STORE(f32, changes + i, change);
    }
    for (; i < block->keys; i += LANES) {
      STORE(f32, products + i, (f32)0);
      STORE(f32, changes + i, (f32)0);
    }
  }
}

// The weights replace the products, and the scores' changes those of the upstream and the values.
static void attention_change(
  const HostAttentionBlock *block, float *products, float *changes, const float *levels, const float *less) {
  const HostAttentionBlock own = *block;
  if (own.mask) attention_change_rows(&own, 1, products, changes, levels, less);
  else attention_change_rows(&own, 0, products, changes, levels, less);
}

static const HostAttentionKernels attention_kernels = {attention_softmax, attention_change, attention_finish};

#undef UNROLLED
#undef LARGER
#undef SUM
#undef TOGETHER
