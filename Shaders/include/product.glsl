// What the matrix products share: C[b, m, n] = op(A)[b, m, k] op(B)[b, k, n], all stored row-major.
// Push constants, in order: batches, m, n, k, stride_a, stride_b, splits, split_extent.
//
// A transposed operand is stored [k, m] or [n, k]. `stride_a` and `stride_b` are the elements from one matrix
// of the batch to the next, 0 where one matrix serves the whole batch. With more than one part (`splits`),
// part s multiplies columns s * split_extent ..< min(k, (s + 1) * split_extent) of op(A) and writes its own
// C; the output then is [splits, batches, m, n] and `matmul_reduce` adds the parts in order.
//
// VECTORS asks that n, k, split_extent and both strides be multiples of 4, and m too where A is transposed.
// Include grid.glsl and scalar.glsl before.

layout(constant_id = 1) const bool TRANSPOSED_A = false;
layout(constant_id = 2) const bool TRANSPOSED_B = false;

layout(std430, set = 0, binding = 0) readonly buffer Left { ELEMENT a[]; };
layout(std430, set = 0, binding = 1) readonly buffer Right { ELEMENT b[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Product { ELEMENT c[]; };

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

// One rank-1 update of an 8 x 8 tile: sums[2 i + j] holds columns 4 j ..< 4 j + 4 of row i. Spelled out with
// constant indices, because drivers that compile for a processor keep indexed arrays in memory.
#define MULTIPLY_ROW(i, x, right0, right1) \
  sums[2 * i] = fma(VECTOR(x), right0, sums[2 * i]); \
  sums[2 * i + 1] = fma(VECTOR(x), right1, sums[2 * i + 1]);
#define MULTIPLY_8X8(left0, left1, right0, right1) \
  MULTIPLY_ROW(0, left0.x, right0, right1) \
  MULTIPLY_ROW(1, left0.y, right0, right1) \
  MULTIPLY_ROW(2, left0.z, right0, right1) \
  MULTIPLY_ROW(3, left0.w, right0, right1) \
  MULTIPLY_ROW(4, left1.x, right0, right1) \
  MULTIPLY_ROW(5, left1.y, right0, right1) \
  MULTIPLY_ROW(6, left1.z, right0, right1) \
  MULTIPLY_ROW(7, left1.w, right0, right1)

// The same for the 4 x 4 corner of the tile.
#define MULTIPLY_CORNER_ROW(i, x, right) sums[2 * i] = fma(VECTOR(x), right, sums[2 * i]);
#define MULTIPLY_4X4(left, right) \
  MULTIPLY_CORNER_ROW(0, left.x, right) \
  MULTIPLY_CORNER_ROW(1, left.y, right) \
  MULTIPLY_CORNER_ROW(2, left.z, right) \
  MULTIPLY_CORNER_ROW(3, left.w, right)

// Turns four rows of a 4 x 4 block into its four columns.
#define TRANSPOSE(x0, x1, x2, x3) { \
  VECTOR y0 = VECTOR(x0.x, x1.x, x2.x, x3.x); \
  VECTOR y1 = VECTOR(x0.y, x1.y, x2.y, x3.y); \
  VECTOR y2 = VECTOR(x0.z, x1.z, x2.z, x3.z); \
  VECTOR y3 = VECTOR(x0.w, x1.w, x2.w, x3.w); \
  x0 = y0; x1 = y1; x2 = y2; x3 = y3; \
}

// Stores four neighbours of one row of the C that begins at element `start`, those that exist.
void store_product(uint start, uint row, uint column, VECTOR value) {
  if (row >= m || column >= n) return;
  uint at = start + row * n + column;
#ifdef VECTORS
  c[at / 4] = value;
#else
  c[at] = value.x;
  if (column + 1 < n) c[at + 1] = value.y;
  if (column + 2 < n) c[at + 2] = value.z;
  if (column + 3 < n) c[at + 3] = value.w;
#endif
}
