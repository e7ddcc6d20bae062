// The rows of an attention between its matrix products.

#pragma once
#include "elementary.h"

// A score at or below this does not count, and becomes the lowest. See `Attention` of the tensors.
#define FORBIDDEN -1e30f
#define LOWEST -1.7e38f

INLINE f32 attention_scores(const HostAttentionRow *row, const float *products, intptr_t i, intptr_t count) {
  f32 product = count >= LANES ? LOAD(f32, products + i) : LOAD_PART(f32, products + i, count, 0);
  f32 score = product * row->scale;
  if (row->mask && row->mask_step == 0) score += (f32)row->mask[0];
  else if (row->mask)
    score += count >= LANES ? LOAD(f32, row->mask + i) : LOAD_PART(f32, row->mask + i, count, 0);
  return score <= FORBIDDEN ? (f32)LOWEST : score;
}

// Lanes from `count` on are made not to count.
INLINE f32 attention_cut(f32 score, intptr_t count) {
  if (count >= LANES) return score;
  const i32 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lane < (i32)(int32_t)count ? score : (f32)LOWEST;
}

INLINE f32 attention_weights(f32 score, float level) {
  return score <= FORBIDDEN ? (f32)0 : exp_f32(score - level);
}

// Writes lanes whose number is below `count`.
INLINE void attention_store(float *to, f32 value, intptr_t count) {
  if (count >= LANES) STORE(f32, to, value);
  else STORE_PART(f32, to, value, count);
}

// One factor for the results so far; the weights replace the products.
static float attention_softmax(
  const HostAttentionRow *row, float *products, intptr_t width, float *top, float *total) {
  f32 tops = (f32)*top;
  for (intptr_t i = 0; i < row->count; i += LANES) {
    f32 score = attention_cut(attention_scores(row, products, i, row->count - i), row->count - i);
    // A NaN stays, so that it reaches the result.
    tops = ((score > tops) | (score != score)) ? score : tops;
    attention_store(products + i, score, row->count - i);
  }
  float next = tops[0];
  for (int lane = 1; lane < LANES; lane++) next = tops[lane] > next || tops[lane] != tops[lane] ? tops[lane] : next;
  f32 sums = 0;
  for (intptr_t i = 0; i < row->count; i += LANES) {
    intptr_t rest = row->count - i;
    f32 score = rest >= LANES ? LOAD(f32, products + i) : LOAD_PART(f32, products + i, rest, LOWEST);
    f32 weight = attention_weights(score, next);
    sums += weight;
    attention_store(products + i, weight, rest);
  }
  for (intptr_t i = row->count; i < width; i++) products[i] = 0;
  float sum = 0;
  for (int lane = 0; lane < LANES; lane++) sum += sums[lane];
  float factor = exp_f32((f32)(*top - next))[0];
  *top = next;
  *total = *total * factor + sum;
  return factor;
}

static float attention_log(float x) { return log_f32((f32)x)[0]; }

static void attention_scale(float *values, float factor, intptr_t count) {
  for (intptr_t i = 0; i < count; i += LANES) {
    intptr_t rest = count - i;
    f32 value = rest >= LANES ? LOAD(f32, values + i) : LOAD_PART(f32, values + i, rest, 0);
    attention_store(values + i, value * factor, rest);
  }
}

// The weights replace the products, and the scores' changes those of the upstream and the values.
static void attention_change(
  const HostAttentionRow *row, float *products, float *changes, intptr_t width, float level, float less) {
  for (intptr_t i = 0; i < row->count; i += LANES) {
    intptr_t rest = row->count - i;
    f32 score = attention_cut(attention_scores(row, products, i, rest), rest);
    f32 weight = attention_weights(score, level);
    f32 change = rest >= LANES ? LOAD(f32, changes + i) : LOAD_PART(f32, changes + i, rest, 0);
    attention_store(products + i, weight, rest);
    attention_store(changes + i, weight * (change - less) * row->scale, rest);
  }
  for (intptr_t i = row->count; i < width; i++) products[i] = changes[i] = 0;
}

static const HostAttentionKernels attention_kernels = {
  attention_softmax, attention_change, attention_scale, attention_log};
