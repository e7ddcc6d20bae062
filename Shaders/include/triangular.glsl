// What the triangular solvers share: op(T) X = B, with T [batches, n, n], B and X [batches, n, columns].

layout(constant_id = 1) const bool LOWER = true;
layout(constant_id = 2) const bool TRANSPOSED = false;
layout(constant_id = 3) const bool UNIT_DIAGONAL = false;

// Whether op(T) is lower triangular, so that the first row is solved first.
const bool FORWARD = LOWER != TRANSPOSED;

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR matrix[]; };
layout(std430, set = 0, binding = 1) readonly buffer Sides { SCALAR sides[]; };
layout(std430, set = 0, binding = 2) buffer Solution { SCALAR solution[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint columns;
};
