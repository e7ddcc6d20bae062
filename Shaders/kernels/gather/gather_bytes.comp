// output[i, :] = values[indices[i], :] for rows of any byte count, 0 where an index is outside 0 ..< rows.
// Bindings: 0 values [rows, width]; 1 indices [count], int32; 2 output [count, width]. Push: see below.
// Constants: 0 local size. Values and output end on whole words.
// Grid: ceil(ceil(count * width / 4) / local size) groups, folded; width is in bytes.
// Source: an invocation owns a word of the output and collects its bytes, so 8-bit storage is not needed.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Values { uint values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Indices { uint indices[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Output { uint gathered[]; };

layout(push_constant) uniform Extents {
  uint count;
  uint width;
  uint rows;
};

void main() {
  uint word_index = invocation_index();
  uint bytes = count * width;
  if (word_index >= (bytes + 3) / 4) return;
  uint i = 4 * word_index / width;
  uint column = 4 * word_index - i * width;
  uint word = 0;
  for (uint lane = 0; lane < 4; lane++) {
    if (i < count) {
      uint row = indices[i];
      if (row < rows) {
        uint source = row * width + column;
        word |= (values[source / 4] >> (8 * (source % 4)) & 0xffu) << (8 * lane);
      }
    }
    column += 1;
    if (column == width) {
      column = 0;
      i += 1;
    }
  }
  gathered[word_index] = word;
}
