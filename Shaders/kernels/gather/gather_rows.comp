// output[i, :] = values[indices[i], :], and 0 where an index is outside 0 ..< rows; nothing outside is read.
// Bindings: 0 values [rows, width]; 1 indices [count], int32; 2 output [count, width]. Push: see below.
// Constants: 0 local size. Define WORDS, the element: uint, uvec2 or uvec4.
// Grid: ceil(count * width / local size) groups, folded.
// Source: the definition. Elements are words, not numbers: rows of any type whose length is whole words.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"

#ifndef WORDS
#define WORDS uint
#endif

layout(std430, set = 0, binding = 0) readonly buffer Values { WORDS values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Indices { uint indices[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Output { WORDS gathered[]; };

layout(push_constant) uniform Extents {
  uint count;
  uint width;
  uint rows;
};

void main() {
  uint at = invocation_index();
  uint i = at / width;
  if (i >= count) return;
  uint column = at - i * width;
  // A negative index is a large one here.
  uint row = indices[i];
  WORDS word = WORDS(0);
  if (row < rows) word = values[row * width + column];
  gathered[at] = word;
}
