// dK = scale dS^T Q and dV = P^T dO, summed over a group's heads: four keys by COLUMNS vectors of each.
// Bindings: 0 Q, 1 K, 2 V, 3 mask, 4 lengths, 5 delta, 6 L [batches, heads, S], 7 dO; 8 dK; 9 dV.
// Constants: 0 local size; 1 see attention.glsl, as for push constants and COLUMNS.
// Grid: ceil(batches * groups * ceil(T / 4) * ceil(max(D, E) / 4 / COLUMNS) / local size) groups, folded.
// Source: Dao et al. 2022, "FlashAttention", algorithm 4, with each key's sums in one invocation.
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
layout(std430, set = 0, binding = 8) writeonly buffer KeyGradient { vec4 dk[]; };
layout(std430, set = 0, binding = 9) writeonly buffer ValueGradient { vec4 dv[]; };

void main() {
  uint blocks = (keys + 3) / 4;
  uint index = invocation_index();
  uint chunk = index / (batches * groups * blocks);
  if (chunk >= (max(depth, width) + COLUMNS - 1) / COLUMNS) return;
  uint first = chunk * COLUMNS;
  uint group = index / blocks % (batches * groups);
  uint key = index % blocks * 4;
  uvec4 others = min(key + uvec4(0, 1, 2, 3), uvec4(keys - 1));
  uvec4 key_starts = key_rows(group, others) * depth;
  uvec4 value_starts = value_rows(group, others) * width;
  float scale = uintBitsToFloat(scale_bits);
  uint sharing = heads / groups;
  uint first_stream = group / groups * heads + group % groups * sharing;

  vec4 d0[COLUMNS], d1[COLUMNS], d2[COLUMNS], d3[COLUMNS];
  vec4 e0[COLUMNS], e1[COLUMNS], e2[COLUMNS], e3[COLUMNS];
#define CLEAR(c) d0[c] = d1[c] = d2[c] = d3[c] = e0[c] = e1[c] = e2[c] = e3[c] = vec4(0);
  EACH_COLUMN(CLEAR)
  for (uint stream = first_stream; stream < first_stream + sharing; stream++) {
    uint limit = key_limit(stream, keys);
    // A query before the first of these keys reads none of them in causal attention.
    uint start = (FLAGS & 64u) != 0u ? key : 0u;
    if (key >= limit) start = queries;
    for (uint query = start; query < queries; query += 4) {
      uvec4 rows = min(query + uvec4(0, 1, 2, 3), uvec4(queries - 1));
      uvec4 all_rows = stream * queries + rows;
      uvec4 starts = query_rows(stream, rows) * depth;
      uvec4 upstreams = result_rows(stream, rows) * width;
      PRODUCTS(s, q, starts, k, key_starts, depth)
      PRODUCTS(p, g, upstreams, v, value_starts, width)
      // Row by row: the weights with four keys, and the scores' changes.
#define ROW(r, row, all_row) \
      s##r = query + r < queries ? weights(masked_keys(s##r, stream, row, key, limit), l[all_row]) : vec4(0); \
      p##r = s##r * (p##r - delta[all_row]) * scale;
      ROW(0, rows.x, all_rows.x)
      ROW(1, rows.y, all_rows.y)
      ROW(2, rows.z, all_rows.z)
      ROW(3, rows.w, all_rows.w)
#define ADD(c) { \
      uint at = min(first + c, depth - 1); \
      vec4 a0 = q[starts.x + at], a1 = q[starts.y + at], a2 = q[starts.z + at], a3 = q[starts.w + at]; \
      d0[c] += p0.x * a0 + p1.x * a1 + p2.x * a2 + p3.x * a3; \
      d1[c] += p0.y * a0 + p1.y * a1 + p2.y * a2 + p3.y * a3; \
      d2[c] += p0.z * a0 + p1.z * a1 + p2.z * a2 + p3.z * a3; \
      d3[c] += p0.w * a0 + p1.w * a1 + p2.w * a2 + p3.w * a3; \
      at = min(first + c, width - 1); \
      a0 = g[upstreams.x + at]; \
      a1 = g[upstreams.y + at]; \
      a2 = g[upstreams.z + at]; \
      a3 = g[upstreams.w + at]; \
      e0[c] += s0.x * a0 + s1.x * a1 + s2.x * a2 + s3.x * a3; \
      e1[c] += s0.y * a0 + s1.y * a1 + s2.y * a2 + s3.y * a3; \
      e2[c] += s0.z * a0 + s1.z * a1 + s2.z * a2 + s3.z * a3; \
      e3[c] += s0.w * a0 + s1.w * a1 + s2.w * a2 + s3.w * a3; \
    }
      EACH_COLUMN(ADD)
    }
  }

#define STORE(c) \
  if (first + c < depth) { \
    uvec4 at = key_starts + first + c; \
    dk[at.x] = d0[c]; \
    if (key + 1 < keys) dk[at.y] = d1[c]; \
    if (key + 2 < keys) dk[at.z] = d2[c]; \
    if (key + 3 < keys) dk[at.w] = d3[c]; \
  } \
  if (first + c < width) { \
    uvec4 at = value_starts + first + c; \
    dv[at.x] = e0[c]; \
    if (key + 1 < keys) dv[at.y] = e1[c]; \
    if (key + 2 < keys) dv[at.z] = e2[c]; \
    if (key + 3 < keys) dv[at.w] = e3[c]; \
  }
  EACH_COLUMN(STORE)
}
