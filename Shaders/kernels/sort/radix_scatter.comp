// Each key and payload goes to its place in the order of this pass's digit: the third of a pass; stable.
// Bindings: 0 keys; 1 payloads; 2 counts, from radix_scan; 3, 4 both sorted. Push: see sort.glsl.
// Constants: 0 local size; 1 bits per pass; 2 keys per invocation; 3 payload is the position (1 not read).
// Grid: as radix_histogram. Shared memory: 4 * (local size * (digits + 1) + digits) bytes.
// Source: see sort.glsl.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128, local_size_x_id = 0) in;
#include "grid.glsl"
#include "sort.glsl"
#include "scan.glsl"

layout(constant_id = 3) const bool NUMBERED = false;

layout(std430, set = 0, binding = 0) readonly buffer Keys { uint keys[]; };
layout(std430, set = 0, binding = 1) readonly buffer Payloads { uint payloads[]; };
layout(std430, set = 0, binding = 2) readonly buffer Counts { uint counts[]; };
layout(std430, set = 0, binding = 3) writeonly buffer SortedKeys { uint sorted_keys[]; };
layout(std430, set = 0, binding = 4) writeonly buffer SortedPayloads { uint sorted_payloads[]; };

// ranks[digit, invocation]: first how many of its keys have the digit, then where the next of them goes.
shared uint ranks[DIGITS * gl_WorkGroupSize.x];
// Where the tile's first key of each digit goes.
shared uint starts[DIGITS];

void main() {
  uint tile = group_index();
  uint local = gl_LocalInvocationID.x;
  uint first = (tile * gl_WorkGroupSize.x + local) * ITEMS;
  uint last = min(first + ITEMS, count);

  for (uint digit = 0; digit < DIGITS; digit++) ranks[digit * gl_WorkGroupSize.x + local] = 0;
  for (uint at = first; at < last; at++) ranks[digit_of(keys[at]) * gl_WorkGroupSize.x + local] += 1;
  barrier();

  // One exclusive sum over all of `ranks`, digit by digit: each invocation sums a run of DIGITS entries.
  uint sum = 0;
  for (uint i = 0; i < DIGITS; i++) sum += ranks[local * DIGITS + i];
  uint total;
  uint before = exclusive_scan(sum, total);
  for (uint i = 0; i < DIGITS; i++) {
    uint here = ranks[local * DIGITS + i];
    ranks[local * DIGITS + i] = before;
    before += here;
  }
  barrier();

  // Keys of smaller digits come first, then this digit's in earlier tiles; the ranks of a digit start
  // anywhere.
  for (uint digit = local; digit < DIGITS; digit += gl_WorkGroupSize.x) {
    uint start = 0;
    for (uint smaller = 0; smaller < digit; smaller++) start += counts[DIGITS * tiles + smaller];
    if (tile < tiles) start += counts[digit * tiles + tile];
    starts[digit] = start - ranks[digit * gl_WorkGroupSize.x];
  }
  barrier();

  for (uint at = first; at < last; at++) {
    uint key = min(keys[at], limit);
    uint digit = digit_of(key);
    uint rank = ranks[digit * gl_WorkGroupSize.x + local];
    ranks[digit * gl_WorkGroupSize.x + local] = rank + 1;
    uint place = starts[digit] + rank;
    sorted_keys[place] = key;
    sorted_payloads[place] = NUMBERED ? at : payloads[at];
  }
}
