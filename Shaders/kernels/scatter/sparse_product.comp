// output[r, :] = the sum of values[e] * x[columns[e], :], e = order[j], over a window of offsets[r] ..< offsets[r + 1].
// Bindings: 0 x [n, width]; 1 values [count]; 2 columns; 3 order; 4 offsets [rows + 1]; 5 output, of what was skipped.
// Constants: 0 local size. Define VECTORS: width counts vectors. Push: rows, width, count, n, skipped, most.
// Grid: ceil(rows * width / local size) groups, folded.
// Source: sequential sums over a compressed sparse row form, the same bits for any local size.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Dense { ELEMENT x[]; };
layout(std430, set = 0, binding = 1) readonly buffer Values { SCALAR values[]; };
layout(std430, set = 0, binding = 2) readonly buffer Columns { uint columns[]; };
layout(std430, set = 0, binding = 3) readonly buffer Order { uint order[]; };
layout(std430, set = 0, binding = 4) readonly buffer Offsets { uint offsets[]; };
layout(std430, set = 0, binding = 5) buffer Output { ELEMENT sums[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint width;
  uint count;
  uint n;
  uint skipped;
  uint most;
};

void main() {
  uint at = invocation_index();
  uint row = at / width;
  if (row >= rows) return;
  uint place = at - row * width;
  uint end = min(offsets[row + 1], count);
  uint first = min(min(offsets[row], end) + skipped, end);
  uint last = min(first + most, end);
  ELEMENT sum = ELEMENT(0);
  if (skipped > 0) sum = sums[at];
  for (uint j = first; j < last; j++) {
    uint element = order[j];
    if (element >= count) continue;
    uint column = columns[element];
    if (column < n) sum += values[element] * x[column * width + place];
  }
  sums[at] = sum;
}
