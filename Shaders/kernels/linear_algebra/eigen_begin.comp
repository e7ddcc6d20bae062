// The symmetric matrix of a lower triangle, with a row and a column of zeros where n is odd, and the identity.
// Bindings: 0 A [batches, n, n]; 1 W [batches, count, count]; 2 V [batches, n, count]. Push: batches, n, count.
// Constants: 0 local size. Define SCALAR. Count is n or n + 1, even.
// Grid: ceil(batches * count * count / local size) groups, folded.
// Source: the definition.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR a[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Work { SCALAR w[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Vectors { SCALAR v[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint count;
};

void main() {
  uint at = invocation_index();
  if (at >= batches * count * count) return;
  uint item = at / (count * count);
  uint row = at / count % count;
  uint column = at % count;
  SCALAR value = SCALAR(0);
  if (max(row, column) < n) value = a[(item * n + max(row, column)) * n + min(row, column)];
  w[at] = value;
  if (row < n) v[(item * n + row) * count + column] = row == column ? SCALAR(1) : SCALAR(0);
}
