// A panel's row exchanges in all other columns, and, right of the panel, the division by its unit lower triangle.
// Bindings: 0 exchanges [batches, n] int32; 1 packed [batches, n, n], read and written. Push: batches, n, first, width.
// Constants: 0 local size. The panel has at most 32 columns.
// Grid: batches * ceil(n / local size) groups, folded; an invocation per column.
// Source: right-looking block elimination, Golub and Van Loan 2013, section 3.4.6.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

const uint PITCH = 33;

layout(std430, set = 0, binding = 0) readonly buffer Exchanges { int exchanges[]; };
layout(std430, set = 0, binding = 1) buffer Packed { SCALAR packed[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint first;
  uint width;
};

shared SCALAR tile[32 * PITCH];

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint strips = (n + lanes - 1) / lanes;
  uint group = group_index();
  bool exists = group < batches * strips;
  uint item = exists ? group / strips : 0;
  uint start = item * n * n;
  uint column = group % strips * lanes + lane;
  // The panel's own columns are only read here.
  for (uint at = lane; at < width * width; at += lanes) {
    uint row = at / width;
    tile[row * PITCH + at - row * width] = packed[start + (first + row) * n + first + at - row * width];
  }
  barrier();
  if (!exists || column >= n || (column >= first && column < first + width)) return;
  for (uint i = 0; i < width; i++) {
    uint here = start + (first + i) * n + column;
    uint there = start + uint(exchanges[item * n + first + i]) * n + column;
    SCALAR upper = packed[here];
    packed[here] = packed[there];
    packed[there] = upper;
  }
  if (column < first) return;
  for (uint i = 1; i < width; i++) {
    SCALAR rest = packed[start + (first + i) * n + column];
    for (uint k = 0; k < i; k++) rest -= tile[i * PITCH + k] * packed[start + (first + k) * n + column];
    packed[start + (first + i) * n + column] = rest;
  }
}
