// offsets[r] = how many sorted keys are less than r in 0 ... rows: row r has offsets[r] ..< offsets[r + 1].
// Bindings: 0 keys [count], uint32, ascending; 1 offsets [rows + 1], uint32. Push: count, rows.
// Constants: 0 local size.
// Grid: ceil((rows + 1) / local size) groups, folded.
// Source: a binary search per row, which costs rows without keys nothing extra.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Keys { uint keys[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Offsets { uint offsets[]; };

layout(push_constant) uniform Extents {
  uint count;
  uint rows;
};

void main() {
  uint row = invocation_index();
  if (row > rows) return;
  uint low = 0;
  uint high = count;
  while (low < high) {
    uint middle = (low + high) / 2;
    if (keys[middle] < row) low = middle + 1;
    else high = middle;
  }
  offsets[row] = low;
}
