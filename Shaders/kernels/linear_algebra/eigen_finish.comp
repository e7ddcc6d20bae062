// Eigenvalues in ascending order and their vectors, the largest element of each positive; NaN if W is not finite.
// Bindings: 0 W [batches, count, count]; 1 V [batches, n, count]; 2 values [batches, n]; 3 vectors [batches, n, n].
// Constants: 0 local size. Define SCALAR, and WIDE for double. Push: batches, n, count.
// Grid: ceil(batches * n / local size) groups, folded.
// Source: each value counts those before it.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "jacobi.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Work { SCALAR w[]; };
layout(std430, set = 0, binding = 1) readonly buffer Turned { SCALAR v[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Values { SCALAR values[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Vectors { SCALAR vectors[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint count;
};

void main() {
  uint index = invocation_index();
  if (index >= batches * n) return;
  uint item = index / n;
  uint column = index % n;
  uint start = item * count * count;
  SCALAR value = w[start + column * (count + 1)];
  uint place = 0;
  bool is_bad = false;
  for (uint k = 0; k < n; k++) {
    SCALAR other = w[start + k * (count + 1)];
    is_bad = is_bad || !is_finite(other);
    if (other < value || (other == value && k < column)) place++;
  }
  if (is_bad) place = column;
  SCALAR largest = SCALAR(0);
  for (uint row = 0; row < n; row++) {
    SCALAR element = v[(item * n + row) * count + column];
    if (abs(element) > abs(largest)) largest = element;
  }
  SCALAR factor = largest < SCALAR(0) ? SCALAR(-1) : SCALAR(1);
  if (is_bad) factor = not_a_number();
  for (uint row = 0; row < n; row++) {
    vectors[(item * n + row) * n + place] = factor * v[(item * n + row) * count + column];
  }
  values[item * n + place] = is_bad ? not_a_number() : value;
}
