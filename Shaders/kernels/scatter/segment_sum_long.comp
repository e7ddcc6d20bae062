// output[r, :] = the sum of values[order[j], :] over j in offsets[r] ..< offsets[r + 1], LANES at a time.
// Bindings: 0 values [n, width]; 1 order, uint32; 2 offsets [rows + 1]; 3 output [rows, width].
// Constants: 0 local size = LANES * columns; 1 ordered, as segment_sum; 2 LANES, 2^i. Define VECTORS.
// Grid: rows * ceil(width / columns) groups, folded.
// Source: lane l adds terms l, l + LANES, ...; a fixed tree adds the lanes: the bits depend on LANES alone.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "segment.glsl"

layout(constant_id = 2) const uint LANES = 32;

shared ELEMENT partial[gl_WorkGroupSize.x];

void main() {
  uint columns = gl_WorkGroupSize.x / LANES;
  uint across = (width + columns - 1) / columns;
  uint row = group_index() / across;
  uint local = gl_LocalInvocationID.x;
  uint lane = local / columns;
  uint column = group_index() % across * columns + local % columns;
  bool live = row < rows && column < width;

  ELEMENT sum = ELEMENT(0);
  if (live) {
    uvec2 window = segment_window(row);
    for (uint j = window.x + lane; j < window.y; j += LANES) sum += segment_value(j, column);
  }
  partial[local] = sum;
  barrier();
  for (uint reach = LANES / 2; reach > 0; reach /= 2) {
    if (lane < reach) partial[local] += partial[local + reach * columns];
    barrier();
  }
  if (live && lane == 0) {
    uint at = row * width + column;
    if (skipped > 0) sums[at] += partial[local];
    else sums[at] = partial[local];
  }
}
