// The first index outside 0 ..< bound, found by one dispatch and recorded by a second, after a barrier.
// Bindings: 0 indices [count], int32; 1 status [4], read and written. Push: count, bound, operation.
// Constants: 0 local size; 1 records = 1 in the second dispatch.
// Grid: ceil(count / local size) groups, folded; one group where it records.
// Source: the least of positions is the same in whatever order invocations come.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"

layout(constant_id = 1) const bool RECORDS = false;

layout(std430, set = 0, binding = 0) readonly buffer Indices { uint indices[]; };
// Position, operation, index, bound: all ones while nothing is wrong. What is recorded once stays, so that of many
// checks the first that finds something is heard, until the host has read the record and set it back.
layout(std430, set = 0, binding = 1) buffer Status { uint status[]; };

layout(push_constant) uniform Extents {
  uint count;
  uint bound;
  uint operation;
};

const uint NOTHING = 0xFFFFFFFFu;

void main() {
  uint at = invocation_index();
  if (at >= (RECORDS ? 1 : count) || status[1] != NOTHING) return;
  if (RECORDS) {
    uint position = status[0];
    if (position >= count) return;
    status[1] = operation;
    status[2] = indices[position];
    status[3] = bound;
  } else if (indices[at] >= bound) {
    // A negative index is a large one here.
    atomicMin(status[0], at);
  }
}
