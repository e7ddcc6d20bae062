// Columns, by rows, and V by descending norm, and the norms times the scale; NaN where one is not finite.
// Bindings: 0 columns [batches, k, k]; 1 V; 2 norms [batches, k]; 3 scales [batches]; sorted 4 columns, 5 V, 6 norms.
// Constants: 0 local size. Define SCALAR, and WIDE for double. Push: batches, k.
// Grid: ceil(batches * k / local size) groups, folded.
// Source: each length counts those before it.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "jacobi.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Columns { SCALAR b[]; };
layout(std430, set = 0, binding = 1) readonly buffer Vectors { SCALAR v[]; };
layout(std430, set = 0, binding = 2) readonly buffer Norms { SCALAR norms[]; };
layout(std430, set = 0, binding = 3) readonly buffer Scales { SCALAR scales[]; };
layout(std430, set = 0, binding = 4) writeonly buffer SortedColumns { SCALAR columns[]; };
layout(std430, set = 0, binding = 5) writeonly buffer SortedVectors { SCALAR vectors[]; };
layout(std430, set = 0, binding = 6) writeonly buffer Values { SCALAR values[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint k;
};

void main() {
  uint index = invocation_index();
  if (index >= batches * k) return;
  uint item = index / k;
  uint column = index % k;
  SCALAR norm = norms[index];
  uint place = 0;
  bool is_bad = false;
  for (uint other = 0; other < k; other++) {
    SCALAR length = norms[item * k + other];
    is_bad = is_bad || !is_finite(length);
    if (length > norm || (length == norm && other < column)) place++;
  }
  if (is_bad) place = column;
  SCALAR factor = is_bad ? not_a_number() : SCALAR(1);
  for (uint row = 0; row < k; row++) {
    columns[(item * k + row) * k + place] = factor * b[index * k + row];
    vectors[(item * k + place) * k + row] = factor * v[index * k + row];
  }
  values[item * k + place] = is_bad ? not_a_number() : norm * scales[item];
}
