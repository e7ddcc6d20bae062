// What the sums over segments share: operands and the load of one term. With VECTORS, width counts
// vectors of four columns. Include scalar.glsl before. Push constants, in order: rows, width, n, and
// which terms of each segment are added: how many come before, which the sums hold already, and how many at most.

layout(constant_id = 1) const bool ORDERED = true;

layout(std430, set = 0, binding = 0) readonly buffer Values { ELEMENT values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Order { uint order[]; };
layout(std430, set = 0, binding = 2) readonly buffer Offsets { uint offsets[]; };
layout(std430, set = 0, binding = 3) buffer Output { ELEMENT sums[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint width;
  uint n;
  uint skipped;
  uint most;
};

// The window's terms in the segment of a row: from .x up to .y.
uvec2 segment_window(uint row) {
  uint last = min(offsets[row + 1], n);
  uint first = min(min(offsets[row], last) + skipped, last);
  return uvec2(first, min(first + most, last));
}

// Column `column` of the segments' term j; 0 where the order points outside values.
ELEMENT segment_value(uint j, uint column) {
  uint source = j;
  if (ORDERED) source = order[j];
  ELEMENT value = ELEMENT(0);
  if (source < n) value = values[source * width + column];
  return value;
}
