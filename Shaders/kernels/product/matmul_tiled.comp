// C[b, m, n] = op(A)[b, m, k] op(B)[b, k, n], a tile per group in shared memory, for GPUs.
// Bindings: 0 A [batches, m, k]; 1 B [batches, k, n]; 2 C [splits, batches, m, n]. Push: see product.glsl.
// Constants: 0 local size; 1, 2 A, B transposed; 3, 4, 5 tile; 6 micro tile; 7 exact (below). Define VECTORS.
// Grid: splits * batches * ceil(m / tile rows) * ceil(n / tile columns) groups, folded.
// Source: Lai and Seznec 2013, "Performance upper bound analysis and optimization of SGEMM".
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 256, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"
#include "epilogue.glsl"
#include "product.glsl"

// Invocations = (TILE_ROWS / MICRO) * (TILE_COLUMNS / MICRO), and each brings at most one 4 x 4 block per
// step: (TILE_ROWS + TILE_COLUMNS) * TILE_DEPTH <= 16 * invocations. Rows and columns are multiples of MICRO,
// the depth of 4.
layout(constant_id = 3) const uint TILE_ROWS = 128;
layout(constant_id = 4) const uint TILE_COLUMNS = 128;
layout(constant_id = 5) const uint TILE_DEPTH = 16;
layout(constant_id = 6) const uint MICRO = 8;
// Whether m, n and split_extent (and k) are multiples of the tile: then nothing is checked.
layout(constant_id = 7) const bool EXACT = false;

// One vector of padding per row spreads the columns of a block over the banks.
const uint PITCH_A = TILE_ROWS / 4 + 1;
const uint PITCH_B = TILE_COLUMNS / 4 + 1;
shared VECTOR tile_a[TILE_DEPTH * PITCH_A];
shared VECTOR tile_b[TILE_DEPTH * PITCH_B];

// Four neighbours of a stored row of `width` elements, 0 at and beyond the limits; never reads there.
#ifdef VECTORS
#define DEFINE_LOAD(name, data) \
  VECTOR name(uint start, uint width, uint row, uint column, uint row_limit, uint column_limit) { \
    if (EXACT) return data[(start + row * width + column) / 4]; \
    VECTOR four = data[(start + min(row, row_limit - 1) * width + min(column, column_limit - 4)) / 4]; \
    if (row >= row_limit || column >= column_limit) four = VECTOR(0); \
    return four; \
  }
#else
#define DEFINE_LOAD(name, data) \
  VECTOR name(uint start, uint width, uint row, uint column, uint row_limit, uint column_limit) { \
    uint at = start + (EXACT ? row : min(row, row_limit - 1)) * width; \
    uvec4 columns = column + uvec4(0, 1, 2, 3); \
    if (!EXACT) columns = min(columns, uvec4(column_limit - 1)); \
    columns += at; \
    VECTOR four = VECTOR(data[columns.x], data[columns.y], data[columns.z], data[columns.w]); \
    if (EXACT) return four; \
    uint last = column_limit - 1; \
    if (row >= row_limit || column > last) four.x = SCALAR(0); \
    if (row >= row_limit || column + 1 > last) four.y = SCALAR(0); \
    if (row >= row_limit || column + 2 > last) four.z = SCALAR(0); \
    if (row >= row_limit || column + 3 > last) four.w = SCALAR(0); \
    return four; \
  }
#endif
DEFINE_LOAD(load_a, a)
DEFINE_LOAD(load_b, b)

// The 4 x 4 block that an invocation brings at each step: of A or of B, at `wide` along m or n and `deep`
// along k, both in blocks. `invocation` counts first the blocks of A, then those of B, neighbours along the
// stored rows.
const uint BLOCKS_DEEP = TILE_DEPTH / 4;
const uint BLOCKS_A = TILE_ROWS / 4 * BLOCKS_DEEP;
const uint BLOCKS_B = TILE_COLUMNS / 4 * BLOCKS_DEEP;
struct Errand {
  bool brings_a;
  bool brings_b;
  uint wide;
  uint deep;
};

Errand find_errand(uint invocation) {
  Errand errand;
  errand.brings_a = invocation < BLOCKS_A;
  errand.brings_b = !errand.brings_a && invocation < BLOCKS_A + BLOCKS_B;
  uint block = errand.brings_a ? invocation : invocation - BLOCKS_A;
  uint blocks_wide = errand.brings_a ? TILE_ROWS / 4 : TILE_COLUMNS / 4;
  bool along_k = errand.brings_a ? !TRANSPOSED_A : TRANSPOSED_B;
  errand.wide = along_k ? block / BLOCKS_DEEP : block % blocks_wide;
  errand.deep = along_k ? block % BLOCKS_DEEP : block / blocks_wide;
  return errand;
}

void main() {
  // A group left over by the fold works on the last tile again and stores nothing: all meet every barrier.
  uint count = tile_count(TILE_ROWS, TILE_COLUMNS);
  bool live = group_index() < count;
  Tile tile = locate_tile(min(group_index(), count - 1), TILE_ROWS, TILE_COLUMNS);
  uint first = tile.split * split_extent;
  uint last = max(first, min(k, first + split_extent));
  uint start_a = tile.batch * stride_a;
  uint start_b = tile.batch * stride_b;
  uint start_c = (tile.split * batches + tile.batch) * m * n;
  Errand errand = find_errand(gl_LocalInvocationID.x);

  // Which elements this invocation computes: rows 4 y ..< 4 y + 4 and columns 4 x ..< 4 x + 4 of the tile;
  // with a micro tile of 8 also those half a tile further, so that neighbours read neighbouring vectors.
  uint x = gl_LocalInvocationID.x % (TILE_COLUMNS / MICRO);
  uint y = gl_LocalInvocationID.x / (TILE_COLUMNS / MICRO);
  VECTOR sums[16];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = VECTOR(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = VECTOR(0);

  // Reads this invocation's block at `depth` into block0 ... block3, each along m or n.
  VECTOR block0, block1, block2, block3;
#define FETCH(depth) { \
    uint deep = depth + 4 * errand.deep; \
    if (errand.brings_a) { \
      uint wide = tile.row + 4 * errand.wide; \
      if (TRANSPOSED_A) { \
        block0 = load_a(start_a, m, deep, wide, last, m); \
        block1 = load_a(start_a, m, deep + 1, wide, last, m); \
        block2 = load_a(start_a, m, deep + 2, wide, last, m); \
        block3 = load_a(start_a, m, deep + 3, wide, last, m); \
      } else { \
        block0 = load_a(start_a, k, wide, deep, m, last); \
        block1 = load_a(start_a, k, wide + 1, deep, m, last); \
        block2 = load_a(start_a, k, wide + 2, deep, m, last); \
        block3 = load_a(start_a, k, wide + 3, deep, m, last); \
        TRANSPOSE(block0, block1, block2, block3) \
      } \
    } \
    if (errand.brings_b) { \
      uint wide = tile.column + 4 * errand.wide; \
      if (TRANSPOSED_B) { \
        block0 = load_b(start_b, k, wide, deep, n, last); \
        block1 = load_b(start_b, k, wide + 1, deep, n, last); \
        block2 = load_b(start_b, k, wide + 2, deep, n, last); \
        block3 = load_b(start_b, k, wide + 3, deep, n, last); \
        TRANSPOSE(block0, block1, block2, block3) \
      } else { \
        block0 = load_b(start_b, n, deep, wide, last, n); \
        block1 = load_b(start_b, n, deep + 1, wide, last, n); \
        block2 = load_b(start_b, n, deep + 2, wide, last, n); \
        block3 = load_b(start_b, n, deep + 3, wide, last, n); \
      } \
    } \
  }

  if (first < last) FETCH(first)
  for (uint depth = first; depth < last; depth += TILE_DEPTH) {
    barrier();
    uint deep = 4 * errand.deep;
    if (errand.brings_a) {
      tile_a[deep * PITCH_A + errand.wide] = block0;
      tile_a[(deep + 1) * PITCH_A + errand.wide] = block1;
      tile_a[(deep + 2) * PITCH_A + errand.wide] = block2;
      tile_a[(deep + 3) * PITCH_A + errand.wide] = block3;
    }
    if (errand.brings_b) {
      tile_b[deep * PITCH_B + errand.wide] = block0;
      tile_b[(deep + 1) * PITCH_B + errand.wide] = block1;
      tile_b[(deep + 2) * PITCH_B + errand.wide] = block2;
      tile_b[(deep + 3) * PITCH_B + errand.wide] = block3;
    }
    barrier();
    // The next block is on its way while this tile is multiplied.
    if (depth + TILE_DEPTH < last) FETCH(depth + TILE_DEPTH)
    for (uint i = 0; i < TILE_DEPTH; i++) {
      VECTOR left0 = tile_a[i * PITCH_A + y];
      VECTOR right0 = tile_b[i * PITCH_B + x];
      if (MICRO == 8) {
        VECTOR left1 = tile_a[i * PITCH_A + TILE_ROWS / 8 + y];
        VECTOR right1 = tile_b[i * PITCH_B + TILE_COLUMNS / 8 + x];
        MULTIPLY_8X8(left0, left1, right0, right1)
      } else {
        MULTIPLY_4X4(left0, right0)
      }
    }
  }

  if (!live) return;
  uint column = tile.column + 4 * x;
#define STORE_ROW(i, inner) \
  store_product(start_c, tile.row + inner, column, sums[2 * i]); \
  if (MICRO == 8) store_product(start_c, tile.row + inner, column + TILE_COLUMNS / 2, sums[2 * i + 1]);
  STORE_ROW(0, 4 * y) STORE_ROW(1, 4 * y + 1) STORE_ROW(2, 4 * y + 2) STORE_ROW(3, 4 * y + 3)
  if (MICRO == 8) {
    uint half_row = TILE_ROWS / 2 + 4 * y;
    STORE_ROW(4, half_row) STORE_ROW(5, half_row + 1) STORE_ROW(6, half_row + 2) STORE_ROW(7, half_row + 3)
  }
}
