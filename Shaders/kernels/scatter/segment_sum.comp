// output[r, :] = the sum of values[order[j], :] over j in offsets[r] ..< offsets[r + 1], in that order; 0 for none.
// Bindings: 0 values [n, width], float32; 1 order [>= offsets[rows]], uint32; 2 offsets [rows + 1], uint32; 3 output [rows, width].
// Constants: 0 local size; 1 ordered (default; else j itself is the row of values and binding 1 is not read). Push: rows, width, n.
// Grid: ceil(rows * width / local size) groups, folded. Define VECTORS: width counts vectors of four columns.
// Source: sequential sums, the same bits whatever the group size; for many short segments. Long ones: segment_sum_long.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "segment.glsl"

void main() {
  uint at = invocation_index();
  uint row = at / width;
  if (row >= rows) return;
  uint column = at - row * width;
  uint last = offsets[row + 1];
  ELEMENT sum = ELEMENT(0);
  for (uint j = offsets[row]; j < last; j++) sum += segment_value(j, column);
  sums[at] = sum;
}
