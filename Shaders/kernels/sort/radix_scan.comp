// Each digit's counts become their exclusive sums over the tiles, its total is appended: second of a pass.
// Bindings: 0 counts [digits * tiles + digits] in place: [digit, tile], totals. Push: digits, tiles.
// Constants: 0 local size.
// Grid: digits groups, folded; digits = 2^(bits per pass).
// Source: see sort.glsl; each invocation sums a run of tiles, the group scans those sums.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scan.glsl"

layout(std430, set = 0, binding = 0) buffer Counts { uint counts[]; };

layout(push_constant) uniform Extents {
  uint digits;
  uint tiles;
};

void main() {
  uint digit = group_index();
  bool live = digit < digits;
  uint run = (tiles + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
  uint first = min(gl_LocalInvocationID.x * run, tiles);
  uint last = live ? min(first + run, tiles) : first;
  uint start = digit * tiles;
  uint sum = 0;
  for (uint tile = first; tile < last; tile++) sum += counts[start + tile];
  uint total;
  uint before = exclusive_scan(sum, total);
  for (uint tile = first; tile < last; tile++) {
    uint here = counts[start + tile];
    counts[start + tile] = before;
    before += here;
  }
  if (live && gl_LocalInvocationID.x == 0) counts[digits * tiles + digit] = total;
}
