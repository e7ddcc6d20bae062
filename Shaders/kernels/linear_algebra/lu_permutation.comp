// The permutation that row exchanges make, and its sign.
// Bindings: 0 exchanges [batches, n] int32; 1 permutation [batches, n] int32; 2 signs [batches]. Push: batches, n.
// Constants: 0 local size.
// Grid: ceil(batches / local size) groups, folded; an invocation per matrix.
// Source: the definition; row i of the permuted matrix is row permutation[i].
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Exchanges { int exchanges[]; };
layout(std430, set = 0, binding = 1) buffer Permutation { int permutation[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Signs { SCALAR signs[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
};

void main() {
  uint item = invocation_index();
  if (item >= batches) return;
  for (uint i = 0; i < n; i++) permutation[item * n + i] = int(i);
  SCALAR sign = SCALAR(1);
  for (uint i = 0; i < n; i++) {
    uint other = uint(exchanges[item * n + i]);
    if (other != i) {
      int row = permutation[item * n + i];
      permutation[item * n + i] = permutation[item * n + other];
      permutation[item * n + other] = row;
      sign = -sign;
    }
  }
  signs[item] = sign;
}
