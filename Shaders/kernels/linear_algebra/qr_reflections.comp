// Q and R with A = Q R and no negative number on R's diagonal, for m >= n.
// Bindings: 0 A [batches, m, n]; 1 R [batches, n, n]; 2 Q [batches, m, n]. Push: batches, m, n.
// Constants: 0 local size; 1 capacity >= m * (n | 1). GLOBAL: no shared memory, the matrix is in Q.
// Grid: batches groups, folded.
// Source: Householder reflections, Golub and Van Loan 2013, sections 5.1.6 and 5.2.2.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "factorization.glsl"

layout(constant_id = 1) const uint CAPACITY = 1024;

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR matrix[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Triangle { SCALAR r[]; };
layout(std430, set = 0, binding = 2) EXCHANGED buffer Orthonormal { SCALAR q[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint m;
  uint n;
};

#ifdef GLOBAL
#define A(row, column) q[start + (row) * n + (column)]
#else
#define A(row, column) tile[(row) * pitch + (column)]
shared SCALAR tile[CAPACITY];
#endif

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  // Groups left over have matrices of no rows and columns.
  uint rows = group_index() < batches ? m : 0;
  uint columns = group_index() < batches ? n : 0;
  uint item = min(group_index(), batches - 1);
  uint start = item * m * n;
  uint corner = item * n * n;
#ifndef GLOBAL
  uint pitch = n | 1;
#endif

  SCALAR largest = SCALAR(0);
  for (uint at = lane; at < rows * columns; at += lanes) {
    SCALAR magnitude = abs(matrix[start + at]);
    largest = magnitude > largest ? magnitude : largest;
  }
  SCALAR scale = group_scale(largest);
  for (uint at = lane; at < rows * columns; at += lanes) {
    uint row = at / columns;
    A(row, at - row * columns) = matrix[start + at] / scale;
  }
  for (uint at = lane; at < columns * columns; at += lanes) {
    if (at % columns < at / columns) r[corner + at] = SCALAR(0);
  }
  SYNCHRONIZE();

  // Reflection k is 1 - v v^T with |v|^2 = 2 and zeros before element k; v takes the place of column k. It maps the
  // rest of the column to minus its first element's sign times its norm. That sign is v[k]'s, turned round; where it
  // is negative, row k of R and column k of Q are negated. Nothing is reflected where the rest vanishes: v = 0.
  uint k = 0;
  do {
    SCALAR square = SCALAR(0);
    for (uint row = k + lane; row < rows; row += lanes) square += A(row, k) * A(row, k);
    SCALAR norm = sqrt(group_sum(square));
    SCALAR diagonal = A(k, k);
    norm = norm < TINY ? SCALAR(0) : norm;
    SCALAR factor = norm == SCALAR(0) ? SCALAR(0) : SCALAR(-1) / (sqrt(norm) * sqrt(norm + abs(diagonal)));
    SYNCHRONIZE();
    for (uint row = k + lane; row < rows; row += lanes) {
      SCALAR element = row == k ? diagonal + (diagonal < SCALAR(0) ? -norm : norm) : A(row, k);
      A(row, k) = factor * element;
    }
    if (lane == 0 && columns > 0) r[corner + k * n + k] = norm * scale;
    SYNCHRONIZE();
    SCALAR row_scale = A(k, k) < SCALAR(0) ? -scale : scale;
    uint first = k + 1;
    do {
      // Each column is shared by `parts` lanes.
      uint count = first < columns ? min(lanes, columns - first) : 1;
      uint parts = lanes / count;
      uint part = lane / count;
      uint column = first + lane % count;
      bool takes_part = part < parts && column < columns;
      SCALAR sum = SCALAR(0);
      if (takes_part) {
        for (uint row = k + part; row < rows; row += parts) sum += A(row, k) * A(row, column);
      }
      lane_values[lane] = sum;
      SYNCHRONIZE();
      if (takes_part) {
        SCALAR product = SCALAR(0);
        for (uint i = 0; i < parts; i++) product += lane_values[i * count + lane % count];
        for (uint row = k + part; row < rows; row += parts) A(row, column) -= product * A(row, k);
        if (part == 0) r[corner + k * n + column] = row_scale * A(k, column);
      }
      SYNCHRONIZE();
      first += lanes;
    } while (first < columns);
    k++;
  } while (k < columns);

  // The product of all reflections, from the last to the first: column k and those right of it, from row k down.
  do {
    k--;
    uint first = k + 1;
    do {
      uint count = first < columns ? min(lanes, columns - first) : 1;
      uint parts = lanes / count;
      uint part = lane / count;
      uint column = first + lane % count;
      bool takes_part = part < parts && column < columns;
      SCALAR sum = SCALAR(0);
      if (takes_part) {
        for (uint row = k + 1 + part; row < rows; row += parts) sum += A(row, k) * A(row, column);
      }
      lane_values[lane] = sum;
      SYNCHRONIZE();
      if (takes_part) {
        SCALAR product = SCALAR(0);
        for (uint i = 0; i < parts; i++) product += lane_values[i * count + lane % count];
        for (uint row = k + 1 + part; row < rows; row += parts) A(row, column) -= product * A(row, k);
        if (part == 0) A(k, column) = -product * A(k, k);
      }
      SYNCHRONIZE();
      first += lanes;
    } while (first < columns);
    SCALAR pivot = A(k, k);
    SCALAR sign = pivot < SCALAR(0) ? SCALAR(-1) : SCALAR(1);
    SYNCHRONIZE();
    for (uint row = lane; row < rows; row += lanes) {
      SCALAR unit = row == k ? SCALAR(1) : SCALAR(0);
      A(row, k) = row < k ? SCALAR(0) : sign * (unit - A(row, k) * pivot);
    }
    SYNCHRONIZE();
  } while (k > 0);
#ifndef GLOBAL
  for (uint at = lane; at < rows * columns; at += lanes) {
    uint row = at / columns;
    q[start + at] = A(row, at - row * columns);
  }
#endif
}
