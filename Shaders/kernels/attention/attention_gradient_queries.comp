// dQ = scale P (dO V^T - delta) K, P = exp(scale Q K^T + mask - L): four queries by COLUMNS vectors each.
// Bindings: 0 Q, 1 K, 2 V, 3 mask, 4 lengths, 5 delta, 6 L [batches, heads, S], 7 dO; 8 dQ.
// Constants: 0 local size; 1 see attention.glsl, as for push constants and COLUMNS.
// Grid: ceil(batches * heads * ceil(S / 4) * ceil(D / 4 / COLUMNS) / local size) groups, folded.
// Source: Dao et al. 2022, "FlashAttention", algorithm 4, with each row's sum in one invocation.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32, local_size_x_id = 0) in;
#ifndef COLUMNS
#define COLUMNS 8
#endif
#include "grid.glsl"
#include "attention.glsl"

layout(std430, set = 0, binding = 5) readonly buffer Delta { float delta[]; };
layout(std430, set = 0, binding = 6) readonly buffer Sums { float l[]; };
layout(std430, set = 0, binding = 7) readonly buffer Upstream { vec4 g[]; };
layout(std430, set = 0, binding = 8) writeonly buffer QueryGradient { vec4 dq[]; };

void main() {
  uint blocks = (queries + 3) / 4;
  uint index = invocation_index();
  uint chunk = index / (batches * heads * blocks);
  if (chunk >= (depth + COLUMNS - 1) / COLUMNS) return;
  uint first = chunk * COLUMNS;
  uint stream = index / blocks % (batches * heads);
  uint query = index % blocks * 4;
  uvec4 rows = min(query + uvec4(0, 1, 2, 3), uvec4(queries - 1));
  uvec4 all_rows = stream * queries + rows;
  uvec4 row_starts = query_rows(stream, rows) * depth;
  uvec4 upstream_starts = result_rows(stream, rows) * width;
  vec4 level = vec4(l[all_rows.x], l[all_rows.y], l[all_rows.z], l[all_rows.w]);
  vec4 less = vec4(delta[all_rows.x], delta[all_rows.y], delta[all_rows.z], delta[all_rows.w]);
  float scale = uintBitsToFloat(scale_bits);
  uint group = group_of(stream);
  uint limit = key_limit(stream, rows.w);

  vec4 d0[COLUMNS], d1[COLUMNS], d2[COLUMNS], d3[COLUMNS];
#define CLEAR(c) d0[c] = d1[c] = d2[c] = d3[c] = vec4(0);
  EACH_COLUMN(CLEAR)
  for (uint key = 0; key < limit; key += 4) {
    uvec4 others = min(key + uvec4(0, 1, 2, 3), uvec4(keys - 1));
    uvec4 starts = key_rows(group, others) * depth;
    uvec4 values = value_rows(group, others) * width;
    PRODUCTS(s, q, row_starts, k, starts, depth)
    PRODUCTS(p, g, upstream_starts, v, values, width)
    p0 = weights(masked_keys(s0, stream, rows.x, key, limit), level.x) * (p0 - less.x) * scale;
    p1 = weights(masked_keys(s1, stream, rows.y, key, limit), level.y) * (p1 - less.y) * scale;
    p2 = weights(masked_keys(s2, stream, rows.z, key, limit), level.z) * (p2 - less.z) * scale;
    p3 = weights(masked_keys(s3, stream, rows.w, key, limit), level.w) * (p3 - less.w) * scale;
#define ADD(c) { \
    uint at = min(first + c, depth - 1); \
    vec4 k0 = k[starts.x + at], k1 = k[starts.y + at], k2 = k[starts.z + at], k3 = k[starts.w + at]; \
    d0[c] += p0.x * k0 + p0.y * k1 + p0.z * k2 + p0.w * k3; \
    d1[c] += p1.x * k0 + p1.y * k1 + p1.z * k2 + p1.w * k3; \
    d2[c] += p2.x * k0 + p2.y * k1 + p2.z * k2 + p2.w * k3; \
    d3[c] += p3.x * k0 + p3.y * k1 + p3.z * k2 + p3.w * k3; \
  }
    EACH_COLUMN(ADD)
  }

  uvec4 targets = row_starts + first;
#define STORE(c) \
  if (first + c < depth) { \
    dq[targets.x + c] = d0[c]; \
    if (query + 1 < queries) dq[targets.y + c] = d1[c]; \
    if (query + 2 < queries) dq[targets.z + c] = d2[c]; \
    if (query + 3 < queries) dq[targets.w + c] = d3[c]; \
  }
  EACH_COLUMN(STORE)
}
