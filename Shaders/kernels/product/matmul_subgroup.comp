// C[b, m, n] = op(A)[b, m, k] op(B)[b, k, n], a 16 x 64 tile per subgroup of 8 in registers, for processors.
// Bindings: 0 A [batches, m, k]; 1 B [batches, k, n]; 2 C [splits, batches, m, n]. Push: see product.glsl.
// Constants: 0 local size, a multiple of 8; 1 A is stored [batches, k, m]; 2 B is stored [batches, n, k].
// Grid: ceil(8 * splits * batches * ceil(m / 16) * ceil(n / 64) / local size) groups, folded.
// Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": outer products.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_shuffle : require
layout(local_size_x = 8, local_size_x_id = 0) in;
#define VECTORS 1
#define TEXELS 1
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"
#include "epilogue.glsl"
#include "product.glsl"

// Each invocation sums 16 rows of 8 columns. The subgroup has the rows in common: each invocation reads an eighth of
// them. They are passed on by shuffles from constant lanes, which Mesa's driver makes one instruction each: for a
// broadcast it looks for the first lane that is active. Texels it gathers; of other buffers it fetches lane by lane.
void main() {
  uint index = invocation_index() / 8;
  if (index >= tile_count(16, 64)) return;
  Tile tile = locate_tile(index, 16, 64);
  uint lane = gl_SubgroupInvocationID;
  tile.column += 8 * lane;

  uint first = tile.split * split_extent;
  uint last = min(k, first + split_extent);
  uint start_a = tile.batch * stride_a;
  uint start_b = tile.batch * stride_b;
  uint start_c = (tile.split * batches + tile.batch) * m * n;
  VECTOR sums[32];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = VECTOR(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = VECTOR(0);
  sums[16] = sums[17] = sums[18] = sums[19] = sums[20] = sums[21] = sums[22] = sums[23] = VECTOR(0);
  sums[24] = sums[25] = sums[26] = sums[27] = sums[28] = sums[29] = sums[30] = sums[31] = VECTOR(0);

  // A tile over the edge reads the last row or column again in place of those that are missing: the loop
  // needs no guards, and what is computed there is not stored.
  // Of A, four steps of rows `lane` and `lane + 8`; transposed, of step `lane / 2` eight neighbouring rows.
  uint a0, a1;
  if (TRANSPOSED_A) {
    uint row = tile.row + lane % 2 * 8;
    a0 = (start_a + lane / 2 * m + min(row, m - 4)) / 4;
    a1 = (start_a + lane / 2 * m + min(row + 4, m - 4)) / 4;
  } else {
    a0 = (start_a + min(tile.row + lane, m - 1) * k) / 4;
    a1 = (start_a + min(tile.row + 8 + lane, m - 1) * k) / 4;
  }
#define COLUMN_B(r) ((start_b + min(tile.column + r, n - 1) * k) / 4)
  uint b0, b1, b2, b3, b4, b5, b6, b7;
  if (TRANSPOSED_B) {
    b0 = COLUMN_B(0); b1 = COLUMN_B(1); b2 = COLUMN_B(2); b3 = COLUMN_B(3);
    b4 = COLUMN_B(4); b5 = COLUMN_B(5); b6 = COLUMN_B(6); b7 = COLUMN_B(7);
  } else {
    b0 = (start_b + min(tile.column, n - 4)) / 4;
    b4 = (start_b + min(tile.column + 4, n - 4)) / 4;
  }
  for (uint i = first; i < last; i += 4) {
    VECTOR r0, r1, r2, r3, r4, r5, r6, r7;
    if (TRANSPOSED_B) {
      uint at = i / 4;
      r0 = ELEMENTS(b, at + b0); r1 = ELEMENTS(b, at + b1); r2 = ELEMENTS(b, at + b2); r3 = ELEMENTS(b, at + b3);
      r4 = ELEMENTS(b, at + b4); r5 = ELEMENTS(b, at + b5); r6 = ELEMENTS(b, at + b6); r7 = ELEMENTS(b, at + b7);
      TRANSPOSE(r0, r1, r2, r3)
      TRANSPOSE(r4, r5, r6, r7)
    } else {
      uint at = i * n / 4;
      uint step = n / 4;
      r0 = ELEMENTS(b, at + b0); r1 = ELEMENTS(b, at + step + b0);
      r2 = ELEMENTS(b, at + 2 * step + b0); r3 = ELEMENTS(b, at + 3 * step + b0);
      r4 = ELEMENTS(b, at + b4); r5 = ELEMENTS(b, at + step + b4);
      r6 = ELEMENTS(b, at + 2 * step + b4); r7 = ELEMENTS(b, at + 3 * step + b4);
    }
    uint at_a = TRANSPOSED_A ? i * m / 4 : i / 4;
    VECTOR left0 = ELEMENTS(a, at_a + a0);
    VECTOR left1 = ELEMENTS(a, at_a + a1);
    // Row by row, so that each sum is taken up once and not at each of the four steps.
#define TAKE_ROW(row) { \
    VECTOR left = row < 8 ? subgroupShuffle(left0, row % 8) : subgroupShuffle(left1, row % 8); \
    if (TRANSPOSED_A) { \
      SCALAR part = row % 8 < 4 ? left0[row % 4] : left1[row % 4]; \
      left = VECTOR( \
        subgroupShuffle(part, row / 8), subgroupShuffle(part, 2 + row / 8), \
        subgroupShuffle(part, 4 + row / 8), subgroupShuffle(part, 6 + row / 8)); \
    } \
    MULTIPLY_ROW(row, left.x, r0, r4) \
    MULTIPLY_ROW(row, left.y, r1, r5) \
    MULTIPLY_ROW(row, left.z, r2, r6) \
    MULTIPLY_ROW(row, left.w, r3, r7) \
  }
    TAKE_ROW(0) TAKE_ROW(1) TAKE_ROW(2) TAKE_ROW(3) TAKE_ROW(4) TAKE_ROW(5) TAKE_ROW(6) TAKE_ROW(7)
    TAKE_ROW(8) TAKE_ROW(9) TAKE_ROW(10) TAKE_ROW(11) TAKE_ROW(12) TAKE_ROW(13) TAKE_ROW(14) TAKE_ROW(15)
  }

#define STORE_ROW(i) \
  store_product(start_c, tile.row + i, tile.column, sums[2 * i]); \
  store_product(start_c, tile.row + i, tile.column + 4, sums[2 * i + 1]);
  STORE_ROW(0) STORE_ROW(1) STORE_ROW(2) STORE_ROW(3) STORE_ROW(4) STORE_ROW(5) STORE_ROW(6) STORE_ROW(7)
  STORE_ROW(8) STORE_ROW(9) STORE_ROW(10) STORE_ROW(11) STORE_ROW(12) STORE_ROW(13) STORE_ROW(14) STORE_ROW(15)
}
