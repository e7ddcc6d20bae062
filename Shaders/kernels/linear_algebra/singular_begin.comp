// The taller of A and A^T divided by a scale, and the identity. A matrix that is not finite becomes NaN.
// Bindings: 0 A [batches, m, n]; 1 tall [batches, l, k], l >= k; 2 V [batches, k, k]; 3 scales [batches].
// Constants: 0 local size. Define SCALAR, and WIDE for double. Push: batches, m, n.
// Grid: batches groups, folded.
// Source: scaling as LAPACK's gesvd, so that squares neither overflow nor vanish.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "factorization.glsl"
#include "jacobi.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR a[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Tall { SCALAR tall[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Vectors { SCALAR v[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Scales { SCALAR scales[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint m;
  uint n;
};

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  bool live = group_index() < batches;
  uint item = min(group_index(), batches - 1);
  uint k = min(m, n);
  uint elements = live ? m * n : 0;
  SCALAR largest = SCALAR(0);
  for (uint at = lane; at < elements; at += lanes) {
    SCALAR magnitude = abs(a[item * m * n + at]);
    // Infinity stands for all that is not finite.
    if (!is_finite(magnitude)) magnitude = SCALAR(uintBitsToFloat(0x7F800000u));
    largest = magnitude > largest ? magnitude : largest;
  }
  SCALAR scale = group_scale(largest);
  bool is_bad = !is_finite(scale);
  for (uint at = lane; at < elements; at += lanes) {
    uint row = at / k;
    uint column = at % k;
    SCALAR value = a[item * m * n + (m < n ? column * n + row : at)] / scale;
    tall[item * m * n + at] = is_bad ? not_a_number() : value;
  }
  uint squares = live ? k * k : 0;
  for (uint at = lane; at < squares; at += lanes) {
    v[item * k * k + at] = at / k == at % k ? SCALAR(1) : SCALAR(0);
  }
  if (live && lane == 0) scales[item] = scale;
}
