// What is left off the diagonal: the mean absolute value there times n, of the order of its Frobenius norm.
// Bindings: 0 W [batches, count, count]; 1 rests [batches]. Push: batches, count.
// Constants: 0 local size. Define SCALAR, and WIDE for double.
// Grid: batches groups, folded.
// Source: the definition; absolute values, whose sum does not overflow as that of squares.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "factorization.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Work { SCALAR w[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Rests { SCALAR rests[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint count;
};

void main() {
  bool live = group_index() < batches;
  uint item = min(group_index(), batches - 1);
  uint elements = live ? count * count : 0;
  SCALAR sum = SCALAR(0);
  for (uint at = gl_LocalInvocationID.x; at < elements; at += gl_WorkGroupSize.x) {
    if (at % count != at / count) sum += abs(w[item * count * count + at]);
  }
  sum = group_sum(sum);
  if (live && gl_LocalInvocationID.x == 0) rests[item] = sum / SCALAR(count);
}
