// The rows of an attention between its matrix products.

#pragma once
#include "elementary.h"

// A score at or below this does not count, and becomes the lowest. See `Attention` of the tensors.
#define FORBIDDEN -1e30f
#define LOWEST -1.7e38f

// The scores of the keys from `i` on; lanes beyond the row's last key are made not to count.
INLINE f32 attention_scores(const HostAttentionRow *row, const float *products, intptr_t i) {
  f32 score = LOAD(f32, products + i) * row->scale;
  if (row->mask && row->mask_step == 0) score += (f32)row->mask[0];
  else if (row->mask) {
    intptr_t rest = row->mask_count - i;
    score += rest >= LANES ? LOAD(f32, row->mask + i) : LOAD_PART(f32, row->mask + i, rest, 0);
  }
  const i32 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return ((score <= FORBIDDEN) | (lane >= (i32)(int32_t)(row->count - i))) ? (f32)LOWEST : score;
}

// e^x for x <= 0, and 0 where that is no normal number: an exponential that underflows takes processors some hundred
// cycles. As exp_f32, without the steps that only large and denormal results need.
INLINE f32 attention_exp(f32 x) {
  const float magic = 12582912.0f + 127.0f;
  i32 is_normal = !(x < -87.0f);
  f32 c = is_normal ? x : (f32)0;
  f32 t = c * 1.44269504088896341f + magic;
  f32 n = t - magic;
  f32 r = c - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  f32 y = exp_tail_f32(r) * (r * r) + r + 1.0f;
  // The exponent's bits are the last of t; a NaN stays, by y.
  y = y * BITS(f32, BITS(i32, t) << 23);
  return is_normal ? y : (f32)0;
}

// What does not count is far below the level, unless nothing counts.
INLINE f32 attention_weights(f32 score, float level) {
  return attention_exp(score <= FORBIDDEN ? (f32)LOWEST : score - level);
}

// The larger of two numbers, or the NaN.
INLINE f32 attention_larger(f32 a, f32 b) { return ((a > b) | (a != a)) ? a : b; }

// Lane i of the result is lane i xor `distance`.
#define ACROSS_8(v) __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define ACROSS_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define ACROSS_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ACROSS_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)

INLINE float attention_top(f32 v) {
  v = attention_larger(v, ACROSS_8(v));
  v = attention_larger(v, ACROSS_4(v));
  v = attention_larger(v, ACROSS_2(v));
  return attention_larger(v, ACROSS_1(v))[0];
}

INLINE float attention_sum(f32 v) {
  v += ACROSS_8(v);
  v += ACROSS_4(v);
  v += ACROSS_2(v);
  return (v + ACROSS_1(v))[0];
}

// Whole vectors of a row without a mask: what most rows consist of.
INLINE intptr_t attention_whole(const HostAttentionRow *row) { return row->mask ? 0 : row->count / LANES * LANES; }

// One factor for the results so far; the weights replace the products.
static float attention_softmax(
  const HostAttentionRow *row, float *products, intptr_t width, float *top, float *total) {
  f32 tops = (f32)*top;
  const intptr_t whole = attention_whole(row);
  // A NaN is no top, but reaches the result by its weight.
  for (intptr_t i = 0; i < whole; i += LANES) {
    f32 score = LOAD(f32, products + i) * row->scale;
    tops = score > tops ? score : tops;
  }
  for (intptr_t i = whole; i < row->count; i += LANES) {
    f32 score = attention_scores(row, products, i);
    tops = score > tops ? score : tops;
    STORE(f32, products + i, score);
  }
  float next = attention_top(tops);
  f32 sums = 0;
  if (next <= FORBIDDEN) {
    for (intptr_t i = 0; i < whole; i += LANES) {
      f32 weight = attention_weights(LOAD(f32, products + i) * row->scale, next);
      sums += weight;
      STORE(f32, products + i, weight);
    }
  } else {
    for (intptr_t i = 0; i < whole; i += LANES) {
      f32 weight = attention_exp(LOAD(f32, products + i) * row->scale - next);
      sums += weight;
      STORE(f32, products + i, weight);
    }
  }
  for (intptr_t i = whole; i < row->count; i += LANES) {
    f32 weight = attention_weights(LOAD(f32, products + i), next);
    sums += weight;
    STORE(f32, products + i, weight);
  }
  for (intptr_t i = row->count; i < width; i++) products[i] = 0;
  float factor = *top <= FORBIDDEN ? 0 : exp_f32((f32)(*top - next))[0];
  *top = next;
  *total = *total * factor + attention_sum(sums);
  return factor;
}

static float attention_log(float x) { return log_f32((f32)x)[0]; }

// The weights replace the products, and the scores' changes those of the upstream and the values.
static void attention_change(
  const HostAttentionRow *row, float *products, float *changes, intptr_t width, float level, float less) {
  // A row of which nothing counts has the lowest level, which weights must not be taken from.
  const intptr_t whole = level <= FORBIDDEN ? 0 : attention_whole(row);
  for (intptr_t i = 0; i < whole; i += LANES) {
    f32 weight = attention_exp(LOAD(f32, products + i) * row->scale - level);
    STORE(f32, products + i, weight);
    STORE(f32, changes + i, weight * (LOAD(f32, changes + i) - less) * row->scale);
  }
  for (intptr_t i = whole; i < row->count; i += LANES) {
    f32 weight = attention_weights(attention_scores(row, products, i), level);
    STORE(f32, products + i, weight);
    STORE(f32, changes + i, weight * (LOAD(f32, changes + i) - less) * row->scale);
  }
  for (intptr_t i = row->count; i < width; i++) products[i] = changes[i] = 0;
}

static void attention_scale(float *values, float factor, intptr_t count) {
  for (intptr_t i = 0; i < count; i += LANES) {
    intptr_t rest = count - i;
    if (rest >= LANES) STORE(f32, values + i, LOAD(f32, values + i) * factor);
    else STORE_PART(f32, values + i, LOAD_PART(f32, values + i, rest, 0) * factor, rest);
  }
}

static const HostAttentionKernels attention_kernels = {
  attention_softmax, attention_change, attention_scale, attention_log};
