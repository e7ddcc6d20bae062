// Planes with zeros around them, of rows of whole vectors, as convolution_rows reads them.
// Bindings: 0 x [planes, in_z, in_y, in_x], 1 result [planes, out_z, out_y, 4 * width]. Push: see below.
// Constants: 0 local size; 1, 2, 3 before: where x begins in the result, along z, y and x.
// Grid: ceil(planes * out_z * out_y * ceil(width / 16) / local size) groups, folded.
// Source: the definition.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(constant_id = 1) const uint BEFORE_Z = 0;
layout(constant_id = 2) const uint BEFORE_Y = 0;
layout(constant_id = 3) const uint BEFORE_X = 0;

layout(std430, set = 0, binding = 0) readonly buffer Planes { SCALAR x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Result { VECTOR result[]; };

// The result's rows may be shorter than those of x and the border: what no window reads is left out.
layout(push_constant) uniform Extents {
  uint planes;
  uint in_z;
  uint in_y;
  uint in_x;
  uint out_z;
  uint out_y;
  uint width;
};

void main() {
  // Sixteen vectors of one row, so that finding the row costs little.
  uint index = invocation_index();
  uint parts = (width + 15) / 16;
  if (index >= planes * out_z * out_y * parts) return;
  uint row = index / parts;
  int z = int(row / out_y % out_z) - int(BEFORE_Z);
  int y = int(row % out_y) - int(BEFORE_Y);
  bool exists = z >= 0 && z < int(in_z) && y >= 0 && y < int(in_y);
  uint start = ((row / out_y / out_z * in_z + uint(max(z, 0))) * in_y + uint(max(y, 0))) * in_x;
  if (!exists) start = 0;
  uint first = index % parts * 16;
  uint last = min(first + 16, width);
  for (uint i = first; i < last; i++) {
    ivec4 at = int(4 * i) - int(BEFORE_X) + ivec4(0, 1, 2, 3);
    bvec4 inside = bvec4(
      uint(at.x) < in_x && exists, uint(at.y) < in_x && exists, uint(at.z) < in_x && exists,
      uint(at.w) < in_x && exists);
    uvec4 safe = start + uvec4(clamp(at, ivec4(0), ivec4(int(in_x) - 1)));
    result[row * width + i] = mix(VECTOR(0), VECTOR(x[safe.x], x[safe.y], x[safe.z], x[safe.w]), inside);
  }
}
