// output[i] = input[i]: out of a temporary, which a sort of pairs ends in.
// Bindings: 0 input [count], words; 1 output [count]. Push: count.
// Constants: 0 local size.
// Grid: ceil(count / local size) groups, folded.
// Source: the definition.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Input { uint words[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Output { uint copies[]; };

layout(push_constant) uniform Extents {
  uint count;
};

void main() {
  uint at = invocation_index();
  if (at < count) copies[at] = words[at];
}
