// A factor in panels for matmul_panels: packed[b, p, i, j] is row (or column) p * width + j of the source, at depth i.
// Bindings: 0 source [batches, extent, depth]; 1 packed [batches, ceil(extent / width), depth, width]. Push: these three.
// Constants: 0 local size; 1 the source is stored [batches, depth, extent]; 2 width, a multiple of 4.
// Grid: ceil(batches * ceil(extent / width) * width * depth / 16 / local size) groups, folded.
// Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32, local_size_x_id = 0) in;
layout(constant_id = 1) const bool DEPTH_OUTSIDE = false;
layout(constant_id = 2) const uint WIDTH = 8;
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Source { VECTOR source[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Packed { VECTOR packed[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint extent;
  uint depth;
};

// A block of four by four per invocation. A panel over the edge repeats the last rows. Depth is a multiple of 4, and so
// is the extent where it is stored inside.
void main() {
  uint index = invocation_index();
  uint panels = (extent + WIDTH - 1) / WIDTH;
  uint block = index % (WIDTH / 4);
  uint step = index / (WIDTH / 4) % (depth / 4);
  uint panel = index / (WIDTH / 4) / (depth / 4);
  if (panel >= panels * batches) return;
  uint along = panel % panels * WIDTH + 4 * block;
  uint start = panel / panels * extent * depth;
  VECTOR x0, x1, x2, x3;
  if (DEPTH_OUTSIDE) {
    uint at = (start + 4 * step * extent + min(along, extent - 4)) / 4;
    x0 = source[at];
    x1 = source[at + extent / 4];
    x2 = source[at + extent / 4 * 2];
    x3 = source[at + extent / 4 * 3];
  } else {
    uvec4 at = (start + min(along + uvec4(0, 1, 2, 3), uvec4(extent - 1)) * depth) / 4 + step;
    x0 = source[at.x];
    x1 = source[at.y];
    x2 = source[at.z];
    x3 = source[at.w];
    TRANSPOSE(x0, x1, x2, x3)
  }
  uint to = (panel * depth + 4 * step) * (WIDTH / 4) + block;
  packed[to] = x0;
  packed[to + WIDTH / 4] = x1;
  packed[to + WIDTH / 4 * 2] = x2;
  packed[to + WIDTH / 4 * 3] = x3;
}
