// What the sums over segments share: operands and the load of one term. With VECTORS, width counts
// vectors of four columns. Include scalar.glsl before. Push constants, in order: rows, width, n.

layout(constant_id = 1) const bool ORDERED = true;

layout(std430, set = 0, binding = 0) readonly buffer Values { ELEMENT values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Order { uint order[]; };
layout(std430, set = 0, binding = 2) readonly buffer Offsets { uint offsets[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Output { ELEMENT sums[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint width;
  uint n;
};

// Column `column` of the segments' term j; 0 where the order points outside values.
ELEMENT segment_value(uint j, uint column) {
  uint source = j;
  if (ORDERED) source = order[j];
  ELEMENT value = ELEMENT(0);
  if (source < n) value = values[source * width + column];
  return value;
}
