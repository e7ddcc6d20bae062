// U and V^T from the vectors of the taller of A and A^T, the largest element of each column of U positive.
// Bindings: 0 long vectors [batches, l, k]; 1 short ones [batches, k, k]; 2 V^T [batches, k, n]; 3 U [batches, m, k].
// Constants: 0 local size. Define SCALAR. Push: batches, m, n.
// Grid: ceil(batches * k / local size) groups, folded.
// Source: the definition; A = U S V^T is A^T = V S U^T.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Long { SCALAR long_vectors[]; };
layout(std430, set = 0, binding = 1) readonly buffer Short { SCALAR short_vectors[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Right { SCALAR right[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Left { SCALAR left[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint m;
  uint n;
};

void main() {
  uint k = min(m, n);
  uint l = max(m, n);
  uint index = invocation_index();
  if (index >= batches * k) return;
  uint item = index / k;
  uint column = index % k;
  bool is_tall = m >= n;
#define LONG(row) long_vectors[(item * l + (row)) * k + column]
#define SHORT(row) short_vectors[(item * k + (row)) * k + column]
  SCALAR largest = SCALAR(0);
  for (uint row = 0; row < m; row++) {
    SCALAR element = SCALAR(0);
    if (is_tall) element = LONG(row); else element = SHORT(row);
    if (abs(element) > abs(largest)) largest = element;
  }
  SCALAR factor = largest < SCALAR(0) ? SCALAR(-1) : SCALAR(1);
  for (uint row = 0; row < l; row++) {
    SCALAR element = factor * LONG(row);
    if (is_tall) left[(item * m + row) * k + column] = element;
    else right[(item * k + column) * n + row] = element;
  }
  for (uint row = 0; row < k; row++) {
    SCALAR element = factor * SHORT(row);
    if (is_tall) right[(item * k + column) * n + row] = element;
    else left[(item * m + row) * k + column] = element;
  }
}
