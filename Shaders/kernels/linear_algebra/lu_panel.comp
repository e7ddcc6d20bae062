// P A = L U for a panel of columns from the diagonal down, with partial pivoting; what is left of it is done.
// Bindings: 0 source [batches, n, n]; 1 exchanges [batches, n] int32; 2 packed, as 0. Push: batches, n, first, width.
// Constants: 0 local size; 1 capacity >= (n - first) * (width | 1). GLOBAL: no shared memory, the panel is in packed.
// Grid: batches groups, folded.
// Source: Golub and Van Loan 2013, algorithm 3.4.1; row i is exchanged with row exchanges[i], one after the other.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "factorization.glsl"

layout(constant_id = 1) const uint CAPACITY = 1024;

layout(std430, set = 0, binding = 0) readonly buffer Source { SCALAR source[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Exchanges { int exchanges[]; };
layout(std430, set = 0, binding = 2) EXCHANGED buffer Packed { SCALAR packed[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint first;
  uint width;
};

#ifdef GLOBAL
#define PANEL(r, c) packed[start + (r) * n + (c)]
#else
#define PANEL(r, c) tile[(r) * pitch + (c)]
shared SCALAR tile[CAPACITY];
#endif

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  // Groups left over have panels of no rows.
  uint rows = group_index() < batches ? n - first : 0;
  uint item = min(group_index(), batches - 1);
  uint columns = min(width, rows);
  uint start = item * n * n + first * n + first;

#ifndef GLOBAL
  uint pitch = width | 1;
  for (uint at = lane; at < rows * columns; at += lanes) {
    uint row = at / columns;
    uint column = at - row * columns;
    PANEL(row, column) = source[start + row * n + column];
  }
  SYNCHRONIZE();
#endif
  uint j = 0;
  do {
    SCALAR largest = SCALAR(-1);
    uint place = j;
    for (uint row = j + lane; row < rows; row += lanes) {
      SCALAR magnitude = abs(PANEL(row, j));
      if (magnitude > largest) {
        largest = magnitude;
        place = row;
      }
    }
    uint best = group_place_of_largest(largest, place, j);
    if (lane == 0 && columns > 0) exchanges[item * n + first + j] = int(first + best);
    if (best != j) {
      for (uint column = lane; column < columns; column += lanes) {
        SCALAR upper = PANEL(j, column);
        PANEL(j, column) = PANEL(best, column);
        PANEL(best, column) = upper;
      }
    }
    SYNCHRONIZE();
    SCALAR pivot = PANEL(j, j);
    // A pivot of 0 has zeros below it: there is nothing to eliminate.
    if (pivot != SCALAR(0)) {
      for (uint row = j + 1 + lane; row < rows; row += lanes) {
        SCALAR multiplier = PANEL(row, j) / pivot;
        PANEL(row, j) = multiplier;
        for (uint column = j + 1; column < columns; column++) {
          PANEL(row, column) -= multiplier * PANEL(j, column);
        }
      }
    }
    j++;
  } while (j < columns);
#ifndef GLOBAL
  SYNCHRONIZE();
  for (uint at = lane; at < rows * columns; at += lanes) {
    uint row = at / columns;
    uint column = at - row * columns;
    packed[start + row * n + column] = PANEL(row, column);
  }
#endif
}
