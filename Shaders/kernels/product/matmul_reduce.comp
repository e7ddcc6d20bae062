// C[i] = the sum of part[s, i] over s, in order: the second half of a product whose k was split.
// Bindings: 0 parts [splits, count]; 1 C [count]. Push: count, splits.
// Constants: 0 local size. Define VECTORS: count is in vectors of four.
// Grid: ceil(count / local size) groups, folded.
// Source: fixed split-K; the order of the sum is part of the definition, so no run differs from another.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "epilogue.glsl"

#ifndef RESULT_BINDING
#define RESULT_BINDING 1
#endif

layout(std430, set = 0, binding = 0) readonly buffer Parts { ELEMENT parts[]; };
layout(std430, set = 0, binding = RESULT_BINDING) writeonly buffer Product { ELEMENT c[]; };

layout(push_constant) uniform Extents {
  uint count;
  uint splits;
};

void main() {
  uint index = invocation_index();
  if (index >= count) return;
  ELEMENT sum = parts[index];
  for (uint split = 1; split < splits; split++) sum += parts[split * count + index];
#ifdef VECTORS
  uint at = 4 * index;
  c[index] = VECTOR(
    epilogue(at, sum.x), epilogue(at + 1, sum.y), epilogue(at + 2, sum.z), epilogue(at + 3, sum.w));
#else
  c[index] = epilogue(index, sum);
#endif
}
