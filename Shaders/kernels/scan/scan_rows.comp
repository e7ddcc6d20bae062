// Running folds of rows, cut in chunks of ITEMS per invocation: totals of chunks, or with CARRY the results.
// Bindings: 0 values [rows, extent]; 1 totals [rows, chunks]; with CARRY 1 is their running folds, 2 the result.
// Constants: 0 local size, 2^i; 1 reversed; 2 items = 8; 10 see accumulate.glsl. Push: rows, extent, chunks.
// Grid: rows * chunks groups, folded; chunks = ceil(extent / (local size * items)).
// Source: Hillis and Steele, 1986, over the sums of each invocation's run: the bits depend on the constants.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128, local_size_x_id = 0) in;
#include "grid.glsl"
#include "accumulate.glsl"

layout(constant_id = 1) const bool REVERSED = false;
layout(constant_id = 2) const uint ITEMS = 8;

layout(std430, set = 0, binding = 0) readonly buffer Values { SCALAR values[]; };
#ifdef CARRY
layout(std430, set = 0, binding = 1) readonly buffer Totals { SCALAR totals[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Sums { SCALAR sums[]; };
#else
layout(std430, set = 0, binding = 1) writeonly buffer Totals { SCALAR totals[]; };
#endif

layout(push_constant) uniform Extents {
  uint rows;
  uint extent;
  uint chunks;
};

shared SCALAR folds[gl_WorkGroupSize.x];

void main() {
  uint row = group_index() / chunks;
  uint chunk = group_index() % chunks;
  uint local = gl_LocalInvocationID.x;
  bool live = row < rows;
  uint first = chunk * gl_WorkGroupSize.x * ITEMS + local * ITEMS;
  uint last = live ? min(first + ITEMS, extent) : first;

  // Runs without elements lie behind all others, so what they hold reaches nobody.
  SCALAR run = SCALAR(0);
  for (uint i = first; i < last; i++) {
    SCALAR value = values[row * extent + (REVERSED ? extent - 1 - i : i)];
    run = i == first ? value : accumulate(run, value);
  }
  folds[local] = run;
  barrier();
  uint chunk_start = chunk * gl_WorkGroupSize.x * ITEMS;
  uint runs = live ? (min(gl_WorkGroupSize.x * ITEMS, extent - chunk_start) + ITEMS - 1) / ITEMS : 1;
  for (uint reach = 1; reach < gl_WorkGroupSize.x; reach *= 2) {
    SCALAR joined = folds[local];
    if (local >= reach) joined = accumulate(folds[local - reach], joined);
    barrier();
    folds[local] = joined;
    barrier();
  }
#ifdef CARRY
  bool carries = local > 0 || chunk > 0;
  SCALAR carried = SCALAR(0);
  if (live && local > 0) carried = folds[local - 1];
  if (live && chunk > 0) {
    SCALAR before = totals[row * chunks + chunk - 1];
    carried = local > 0 ? accumulate(before, carried) : before;
  }
  for (uint i = first; i < last; i++) {
    uint at = row * extent + (REVERSED ? extent - 1 - i : i);
    carried = carries || i > first ? accumulate(carried, values[at]) : values[at];
    sums[at] = carried;
  }
#else
  if (live && local == 0) totals[row * chunks + chunk] = folds[runs - 1];
#endif
}
