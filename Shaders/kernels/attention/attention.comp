// O = softmax(scale Q K^T + mask) V and L, the rows' logarithms of sums: four queries by COLUMNS vectors each.
// Bindings: 0 Q, 1 K, 2 V, 3 mask, 4 lengths; 5 O [batches, heads, S, E]; 6 L [batches, heads, S].
// Constants: 0 local size; 1 see attention.glsl, as for push constants and COLUMNS.
// Grid: ceil(batches * heads * ceil(S / 4) * ceil(E / 4 / COLUMNS) / local size) groups, folded.
// Source: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32, local_size_x_id = 0) in;
#ifndef COLUMNS
#define COLUMNS 8
#endif
#include "grid.glsl"
#include "attention.glsl"

layout(std430, set = 0, binding = 5) writeonly buffer Output { vec4 o[]; };
layout(std430, set = 0, binding = 6) writeonly buffer Sums { float l[]; };

void main() {
  uint blocks = (queries + 3) / 4;
  uint index = invocation_index();
  uint chunk = index / (batches * heads * blocks);
  if (chunk >= (width + COLUMNS - 1) / COLUMNS) return;
  uint first = chunk * COLUMNS;
  uint stream = index / blocks % (batches * heads);
  uint query = index % blocks * 4;
  // A block over the edge reads the last row again in place of those that are missing, and does not store them.
  uvec4 rows = min(query + uvec4(0, 1, 2, 3), uvec4(queries - 1));
  uvec4 row_starts = query_rows(stream, rows) * depth;
  uint group = group_of(stream);
  uint limit = key_limit(stream, rows.w);

  vec4 top = vec4(LOWEST);
  vec4 total = vec4(0);
  vec4 o0[COLUMNS], o1[COLUMNS], o2[COLUMNS], o3[COLUMNS];
#define CLEAR(c) o0[c] = o1[c] = o2[c] = o3[c] = vec4(0);
  EACH_COLUMN(CLEAR)
  for (uint key = 0; key < limit; key += 4) {
    uvec4 others = min(key + uvec4(0, 1, 2, 3), uvec4(keys - 1));
    uvec4 starts = key_rows(group, others) * depth;
    PRODUCTS(s, q, row_starts, k, starts, depth)
    s0 = masked_keys(s0, stream, rows.x, key, limit);
    s1 = masked_keys(s1, stream, rows.y, key, limit);
    s2 = masked_keys(s2, stream, rows.z, key, limit);
    s3 = masked_keys(s3, stream, rows.w, key, limit);
    vec4 next = max(top, vec4(largest_of(s0), largest_of(s1), largest_of(s2), largest_of(s3)));
    vec4 factor = exp(top - next);
    top = next;
    s0 = weights(s0, top.x);
    s1 = weights(s1, top.y);
    s2 = weights(s2, top.z);
    s3 = weights(s3, top.w);
    total = total * factor + vec4(sum_of(s0), sum_of(s1), sum_of(s2), sum_of(s3));
    uvec4 values = value_rows(group, others) * width;
    // No value stands in for one behind the end: a weight of 0 times infinity is NaN.
    uint rest = limit - key;
#define ADD(c) { \
    uint at = min(first + c, width - 1); \
    vec4 v0 = v[values.x + at]; \
    vec4 v1 = rest > 1 ? v[values.y + at] : vec4(0); \
    vec4 v2 = rest > 2 ? v[values.z + at] : vec4(0); \
    vec4 v3 = rest > 3 ? v[values.w + at] : vec4(0); \
    o0[c] = o0[c] * factor.x + (s0.x * v0 + s0.y * v1 + s0.z * v2 + s0.w * v3); \
    o1[c] = o1[c] * factor.y + (s1.x * v0 + s1.y * v1 + s1.z * v2 + s1.w * v3); \
    o2[c] = o2[c] * factor.z + (s2.x * v0 + s2.y * v1 + s2.z * v2 + s2.w * v3); \
    o3[c] = o3[c] * factor.w + (s3.x * v0 + s3.y * v1 + s3.z * v2 + s3.w * v3); \
  }
    EACH_COLUMN(ADD)
  }

  // A row that may read nothing has the sum 0 and becomes 0.
  vec4 whole = mix(1.0 / total, vec4(0), equal(total, vec4(0)));
  uvec4 targets = result_rows(stream, rows) * width + first;
#define STORE(c) \
  if (first + c < width) { \
    o[targets.x + c] = o0[c] * whole.x; \
    if (query + 1 < queries) o[targets.y + c] = o1[c] * whole.y; \
    if (query + 2 < queries) o[targets.z + c] = o2[c] * whole.z; \
    if (query + 3 < queries) o[targets.w + c] = o3[c] * whole.w; \
  }
  EACH_COLUMN(STORE)
  if (chunk == 0) {
    vec4 sums = mix(top + log(total), vec4(LOWEST), equal(total, vec4(0)));
    uint row = stream * queries + query;
    l[row] = sums.x;
    if (query + 1 < queries) l[row + 1] = sums.y;
    if (query + 2 < queries) l[row + 2] = sums.z;
    if (query + 3 < queries) l[row + 3] = sums.w;
  }
}
