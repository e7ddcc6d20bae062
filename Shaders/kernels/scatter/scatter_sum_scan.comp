// output[r, :] = the sum of values[i, :] over all i with indices[i] = r, in order; bad indices are ignored.
// Bindings: 0 values [n, width]; 1 indices [n], int32; 2 output [rows, width]. Push: rows, width, n.
// Constants: 0 local size. Define VECTORS: width counts vectors of four.
// Grid: ceil(rows * width / local size) groups, folded.
// Source: the definition: each element looks at all indices. For few indices; the sorted way has its bits.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Values { ELEMENT values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Indices { uint indices[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Output { ELEMENT sums[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint width;
  uint n;
};

void main() {
  uint at = invocation_index();
  uint row = at / width;
  if (row >= rows) return;
  uint column = at - row * width;
  ELEMENT sum = ELEMENT(0);
  for (uint i = 0; i < n; i++) {
    if (indices[i] == row) sum += values[i * width + column];
  }
  sums[at] = sum;
}
