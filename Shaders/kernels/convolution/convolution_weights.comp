// Weights in the order in which convolution_rows reads them: eight features of one channel and tap beside each other.
// Bindings: 0 w [groups, features, terms], 1 result [groups, ceil(features / 8), terms, 8]. Push: groups features terms.
// Constants: 0 local size.
// Grid: ceil(groups * ceil(features / 8) * terms / local size) groups, folded.
// Source: Zhang et al. 2018, "High performance zero-memory overhead direct convolutions", section 4: layouts.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Weights { SCALAR weights[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Result { VECTOR result[]; };

layout(push_constant) uniform Extents {
  uint groups;
  uint features;
  uint terms;
};

void main() {
  uint index = invocation_index();
  uint down = (features + 7) / 8;
  if (index >= groups * down * terms) return;
  uint term = index % terms;
  uint feature = index / terms % down * 8;
  uint start = index / terms / down * features * terms + term;
  // Features that are missing are read as the last one; nobody stores what comes of them.
#define WEIGHT(i) weights[start + min(feature + i, features - 1) * terms]
  result[2 * index] = VECTOR(WEIGHT(0), WEIGHT(1), WEIGHT(2), WEIGHT(3));
  result[2 * index + 1] = VECTOR(WEIGHT(4), WEIGHT(5), WEIGHT(6), WEIGHT(7));
}
