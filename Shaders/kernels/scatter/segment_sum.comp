// output[r, :] = the sum of values[order[j], :] over j in offsets[r] ..< offsets[r + 1], in order; 0 if none.
// Bindings: 0 values [n, width]; 1 order, uint32; 2 offsets [rows + 1]; 3 output [rows, width].
// Constants: 0 local size; 1 ordered (else j itself is the row and 1 is not read). Define VECTORS.
// Grid: ceil(rows * width / local size) groups, folded.
// Source: sequential sums, the same bits for any local size; for short segments. Long ones: segment_sum_long.
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
  uvec2 window = segment_window(row);
  ELEMENT sum = ELEMENT(0);
  if (skipped > 0) sum = sums[at];
  for (uint j = window.x; j < window.y; j++) sum += segment_value(j, column);
  sums[at] = sum;
}
