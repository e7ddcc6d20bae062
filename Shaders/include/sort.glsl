// What the three kernels of one radix sort pass share. Push constants, in order: count, shift, limit, tiles.
//
// A pass moves pairs of a key and a payload, both uint32, into the order of RADIX_BITS bits of the key from
// bit `shift` on, and keeps the order of equal ones; passes from the lowest bits up sort. In every pass, keys
// above `limit` count as `limit`.
//
// Source: Satish, Harris and Garland 2009, "Designing efficient sorting algorithms for manycore GPUs". Ranks
// are counted per invocation and scanned in shared memory: no subgroups, no atomics whose order could show.

// Groups work on tiles of ITEMS keys per invocation.
layout(constant_id = 1) const uint RADIX_BITS = 4;
layout(constant_id = 2) const uint ITEMS = 8;
const uint DIGITS = 1u << RADIX_BITS;

layout(push_constant) uniform Extents {
  uint count;
  uint shift;
  uint limit;
  uint tiles;
};

// The digit that this pass sorts `key` by.
uint digit_of(uint key) {
  return min(key, limit) >> shift & (DIGITS - 1);
}
