// positions[r, i] = how many of row r's sorted values lie before sought[r, i].
// Bindings: 0 sorted [rows, extent]; 1 sought [rows, count]; 2 positions [rows, count], int32.
// Constants: 0 local size; 1 after equals; 10 kind, see order_key.glsl. Push: rows, extent, count.
// Grid: ceil(rows * count / local size) groups, folded.
// Source: binary search.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"
#include "order_key.glsl"

layout(constant_id = 1) const bool AFTER_EQUALS = false;

layout(std430, set = 0, binding = 0) readonly buffer Sorted { uint sorted_values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Sought { uint sought[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Positions { uint positions[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint extent;
  uint count;
};

void main() {
  uint at = invocation_index();
  uint row = at / count;
  if (row >= rows) return;
  uint key = order_key(sought[at]);
  uint low = 0;
  uint high = extent;
  while (low < high) {
    uint middle = (low + high) / 2;
    uint found = order_key(sorted_values[row * extent + middle]);
    bool isBefore = AFTER_EQUALS ? found <= key : found < key;
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  positions[at] = low;
}
