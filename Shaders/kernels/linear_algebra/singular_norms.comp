// The length of each column.
// Bindings: 0 columns [batches, k, k], one after the other; 1 norms [batches, k]. Push: batches * k, k.
// Constants: 0 local size. Define SCALAR.
// Grid: ceil(batches * k / local size) groups, folded.
// Source: the definition.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Columns { SCALAR b[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Norms { SCALAR norms[]; };

layout(push_constant) uniform Extents {
  uint columns;
  uint k;
};

void main() {
  uint column = invocation_index();
  if (column >= columns) return;
  SCALAR sum = SCALAR(0);
  for (uint row = 0; row < k; row++) {
    SCALAR value = b[column * k + row];
    sum += value * value;
  }
  norms[column] = sqrt(sum);
}
