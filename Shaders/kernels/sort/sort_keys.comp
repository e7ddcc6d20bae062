// keys[i] = the order key of values[i], or with ROWS the row of the element that payload i names.
// Bindings: 0 words, or with ROWS payloads [count]; 1 keys [count]. Push: count, extent.
// Constants: 0 local size; 1 rows; 10, 11 see order_key.glsl.
// Grid: ceil(count / local size) groups, folded.
// Source: a stable sort by value and then by row sorts each row.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"
#include "order_key.glsl"

layout(constant_id = 1) const bool ROWS = false;

layout(std430, set = 0, binding = 0) readonly buffer Words { uint words[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Keys { uint keys[]; };

layout(push_constant) uniform Extents {
  uint count;
  uint extent;
};

void main() {
  uint at = invocation_index();
  if (at >= count) return;
  keys[at] = ROWS ? words[at] / extent : order_key(words[at]);
}
