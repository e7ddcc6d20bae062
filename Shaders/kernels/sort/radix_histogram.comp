// counts[digit, tile] = how many keys of the tile have the digit: the first kernel of a radix sort pass.
// Bindings: 0 keys [count]; 1 counts [digits * tiles + digits], the end untouched. Push: see sort.glsl.
// Constants: 0 local size; 1 bits per pass; 2 keys per invocation.
// Grid: tiles = ceil(count / (local size * keys per invocation)) groups, folded.
// Source: see sort.glsl.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128, local_size_x_id = 0) in;
#include "grid.glsl"
#include "sort.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Keys { uint keys[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Counts { uint counts[]; };

shared uint found[DIGITS];

void main() {
  uint tile = group_index();
  uint local = gl_LocalInvocationID.x;
  for (uint digit = local; digit < DIGITS; digit += gl_WorkGroupSize.x) found[digit] = 0;
  barrier();
  uint first = tile * gl_WorkGroupSize.x * ITEMS + local;
  for (uint item = 0; item < ITEMS; item++) {
    uint at = first + item * gl_WorkGroupSize.x;
    if (at < count) atomicAdd(found[digit_of(keys[at])], 1);
  }
  barrier();
  if (tile >= tiles) return;
  for (uint digit = local; digit < DIGITS; digit += gl_WorkGroupSize.x) {
    counts[digit * tiles + tile] = found[digit];
  }
}
