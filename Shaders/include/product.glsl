// What the matrix products share: C[b, m, n] = op(A)[b, m, k] op(B)[b, k, n], all stored row-major.
// Push constants, in order: batches, m, n, k, stride_a, stride_b, splits, split_extent.
//
// A transposed operand is stored [k, m] or [n, k]. `stride_a` and `stride_b` are the elements from one matrix
// of the batch to the next, 0 where one matrix serves the whole batch. With more than one part (`splits`),
// part s multiplies columns s * split_extent ..< min(k, (s + 1) * split_extent) of op(A) and writes its own
// C; the output then is [splits, batches, m, n] and `matmul_reduce` adds the parts in order.
//
// VECTORS asks that n, k, split_extent and both strides be multiples of 4, and m too where A is transposed.
// Include grid.glsl, scalar.glsl and epilogue.glsl before.

#ifndef RESULT_BINDING
#define RESULT_BINDING 2
#endif

layout(constant_id = 1) const bool TRANSPOSED_A = false;
layout(constant_id = 2) const bool TRANSPOSED_B = false;

// How four elements of a factor are read, where VECTORS are. A driver that fetches lane by lane does half the work when it
// reads floats in pairs (LONG); texels it fetches at once (TEXELS, always of floats).
#if defined(TEXELS)
layout(set = 0, binding = 0) uniform samplerBuffer a;
layout(set = 0, binding = 1) uniform samplerBuffer b;
#define ELEMENTS(factor, at) texelFetch(factor, int(at))
#else
#ifdef LONG
#define OPERAND u64vec2
VECTOR unpaired(OPERAND pairs) {
  return VECTOR(uintBitsToFloat(unpackUint2x32(pairs.x)), uintBitsToFloat(unpackUint2x32(pairs.y)));
}
#define ELEMENTS(factor, at) unpaired(factor[at])
#else
#define OPERAND ELEMENT
#define ELEMENTS(factor, at) factor[at]
#endif
layout(std430, set = 0, binding = 0) readonly buffer Left { OPERAND a[]; };
layout(std430, set = 0, binding = 1) readonly buffer Right { OPERAND b[]; };
#endif
layout(std430, set = 0, binding = RESULT_BINDING) writeonly buffer Product { ELEMENT c[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint m;
  uint n;
  uint k;
  uint stride_a;
  uint stride_b;
  uint splits;
  uint split_extent;
};

// The place of a tile of the output.
struct Tile {
  uint row;
  uint column;
  uint batch;
  uint split;
};

// Tile `index` among tiles of `rows` x `columns`, counted along n, then m, the batch and the parts.
Tile locate_tile(uint index, uint rows, uint columns) {
  uint across = (n + columns - 1) / columns;
  uint down = (m + rows - 1) / rows;
  Tile tile;
  tile.column = index % across * columns;
  tile.row = index / across % down * rows;
  tile.batch = index / across / down % batches;
  tile.split = index / across / down / batches;
  return tile;
}

// The number of tiles of `rows` x `columns`.
uint tile_count(uint rows, uint columns) {
  return ((n + columns - 1) / columns) * ((m + rows - 1) / rows) * batches * splits;
}

// Stores four neighbours of one row of the C that begins at element `start`, those that exist.
void store_product(uint start, uint row, uint column, VECTOR value) {
  if (row >= m || column >= n) return;
  uint at = start + row * n + column;
#ifdef VECTORS
  c[at / 4] = VECTOR(
    epilogue(at, value.x), epilogue(at + 1, value.y), epilogue(at + 2, value.z), epilogue(at + 3, value.w));
#else
  c[at] = epilogue(at, value.x);
  if (column + 1 < n) c[at + 1] = epilogue(at + 1, value.y);
  if (column + 2 < n) c[at + 2] = epilogue(at + 2, value.z);
  if (column + 3 < n) c[at + 3] = epilogue(at + 3, value.w);
#endif
}
