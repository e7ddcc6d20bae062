// What is right of and below a panel, less the product of the panel and of its rows: 32 x 32 elements per group.
// Bindings: 0 packed [batches, n, n], read and written. Push: batches, n, first, width.
// Constants: 0 local size = 64, of which each invocation has 4 x 4 elements. The panel has at most 32 columns.
// Grid: batches * ceil((n - first - width) / 32)^2 groups, folded.
// Source: right-looking block elimination, Golub and Van Loan 2013, section 3.4.6.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

const uint TILE = 32;
const uint PITCH = TILE + 1;

layout(std430, set = 0, binding = 0) buffer Packed { SCALAR packed[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint first;
  uint width;
};

shared SCALAR left[TILE * PITCH];
shared SCALAR right[TILE * PITCH];

void subtract(uint row, uint column, uint start, VECTOR sums) {
  if (row >= n) return;
  uint at = start + row * n + column;
  if (column < n) packed[at] -= sums.x;
  if (column + 1 < n) packed[at + 1] -= sums.y;
  if (column + 2 < n) packed[at + 2] -= sums.z;
  if (column + 3 < n) packed[at + 3] -= sums.w;
}

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint corner = first + width;
  uint tiles = (n - corner + TILE - 1) / TILE;
  uint group = group_index();
  bool exists = group < batches * tiles * tiles;
  uint item = exists ? group / (tiles * tiles) : 0;
  uint within = group - group / (tiles * tiles) * tiles * tiles;
  uint start = item * n * n;
  uint top = corner + within / tiles * TILE;
  uint edge = corner + within % tiles * TILE;

  for (uint at = lane; at < TILE * width; at += lanes) {
    uint row = at / width;
    uint k = at - row * width;
    left[row * PITCH + k] = top + row < n ? packed[start + (top + row) * n + first + k] : SCALAR(0);
  }
  for (uint at = lane; at < TILE * width; at += lanes) {
    uint k = at / TILE;
    uint column = at - k * TILE;
    right[k * PITCH + column] = edge + column < n ? packed[start + (first + k) * n + edge + column] : SCALAR(0);
  }
  barrier();
  if (!exists) return;
  uint row = lane / 8 * 4;
  uint column = lane % 8 * 4;
  VECTOR sums0 = VECTOR(SCALAR(0));
  VECTOR sums1 = VECTOR(SCALAR(0));
  VECTOR sums2 = VECTOR(SCALAR(0));
  VECTOR sums3 = VECTOR(SCALAR(0));
  for (uint k = 0; k < width; k++) {
    uint at = k * PITCH + column;
    VECTOR factors = VECTOR(right[at], right[at + 1], right[at + 2], right[at + 3]);
    sums0 += left[row * PITCH + k] * factors;
    sums1 += left[(row + 1) * PITCH + k] * factors;
    sums2 += left[(row + 2) * PITCH + k] * factors;
    sums3 += left[(row + 3) * PITCH + k] * factors;
  }
  subtract(top + row, edge + column, start, sums0);
  subtract(top + row + 1, edge + column, start, sums1);
  subtract(top + row + 2, edge + column, start, sums2);
  subtract(top + row + 3, edge + column, start, sums3);
}
