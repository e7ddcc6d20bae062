// The first `kept` of each row's sorted elements, by the permutation that a radix sort left.
// Bindings: 0 values [rows, extent]; 1 order [rows * extent]; 2 sorted [rows, kept]; 3 positions [rows, kept].
// Constants: 0 local size. Push: rows, extent, kept.
// Grid: ceil(rows * kept / local size) groups, folded.
// Source: the definition; order holds places in the flat array.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Values { uint values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Order { uint order[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Sorted { uint sorted_values[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Positions { uint positions[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint extent;
  uint kept;
};

void main() {
  uint at = invocation_index();
  uint row = at / kept;
  if (row >= rows) return;
  uint place = order[row * extent + (at - row * kept)];
  // No sort leaves a place outside; if it did, nothing outside would be read.
  sorted_values[at] = place < rows * extent ? values[place] : 0;
  positions[at] = place - row * extent;
}
