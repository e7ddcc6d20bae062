// C[b, m, n] = op(A)[b, m, k] op(B)[b, k, n], an 8 x 8 tile per invocation in registers, no shared memory.
// Bindings: 0 A [batches, m, k]; 1 B [batches, k, n]; 2 C [splits, batches, m, n]. Push: see product.glsl.
// Constants: 0 local size; 1 A is stored [batches, k, m]; 2 B is stored [batches, n, k]. Defines VECTORS, LONG.
// Grid: ceil(splits * batches * ceil(m / 8) * ceil(n / 8) / local size) groups, folded.
// Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": outer products.
#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef LONG
#extension GL_ARB_gpu_shader_int64 : require
#endif
layout(local_size_x = 32, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"
#include "epilogue.glsl"
#include "product.glsl"

void main() {
  uint index = invocation_index();
  if (index >= tile_count(8, 8)) return;
  Tile tile = locate_tile(index, 8, 8);

  uint first = tile.split * split_extent;
  uint last = min(k, first + split_extent);
  uint start_a = tile.batch * stride_a;
  uint start_b = tile.batch * stride_b;
  uint start_c = (tile.split * batches + tile.batch) * m * n;
  VECTOR sums[16];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = VECTOR(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = VECTOR(0);

  // A tile over the edge reads the last row or column again in place of those that are missing: the loop
  // needs no guards, and what is computed there is not stored.
#ifdef VECTORS
#define ROW_A(r) ((start_a + min(tile.row + r, m - 1) * k) / 4)
#define COLUMN_B(r) ((start_b + min(tile.column + r, n - 1) * k) / 4)
  uint a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7;
  if (TRANSPOSED_A) {
    a0 = (start_a + tile.row) / 4;
    a4 = (start_a + min(tile.row + 4, m - 4)) / 4;
  } else {
    a0 = ROW_A(0); a1 = ROW_A(1); a2 = ROW_A(2); a3 = ROW_A(3);
    a4 = ROW_A(4); a5 = ROW_A(5); a6 = ROW_A(6); a7 = ROW_A(7);
  }
  if (TRANSPOSED_B) {
    b0 = COLUMN_B(0); b1 = COLUMN_B(1); b2 = COLUMN_B(2); b3 = COLUMN_B(3);
    b4 = COLUMN_B(4); b5 = COLUMN_B(5); b6 = COLUMN_B(6); b7 = COLUMN_B(7);
  } else {
    b0 = (start_b + tile.column) / 4;
    b4 = (start_b + min(tile.column + 4, n - 4)) / 4;
  }
  for (uint i = first; i < last; i += 4) {
    VECTOR l0, l1, l2, l3, l4, l5, l6, l7, r0, r1, r2, r3, r4, r5, r6, r7;
    if (TRANSPOSED_A) {
      uint at = i * m / 4;
      uint step = m / 4;
      l0 = ELEMENTS(a, at + a0); l1 = ELEMENTS(a, at + step + a0);
      l2 = ELEMENTS(a, at + 2 * step + a0); l3 = ELEMENTS(a, at + 3 * step + a0);
      l4 = ELEMENTS(a, at + a4); l5 = ELEMENTS(a, at + step + a4);
      l6 = ELEMENTS(a, at + 2 * step + a4); l7 = ELEMENTS(a, at + 3 * step + a4);
    } else {
      uint at = i / 4;
      l0 = ELEMENTS(a, at + a0); l1 = ELEMENTS(a, at + a1); l2 = ELEMENTS(a, at + a2); l3 = ELEMENTS(a, at + a3);
      l4 = ELEMENTS(a, at + a4); l5 = ELEMENTS(a, at + a5); l6 = ELEMENTS(a, at + a6); l7 = ELEMENTS(a, at + a7);
      TRANSPOSE(l0, l1, l2, l3)
      TRANSPOSE(l4, l5, l6, l7)
    }
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
    MULTIPLY_8X8(l0, l4, r0, r4)
    MULTIPLY_8X8(l1, l5, r1, r5)
    MULTIPLY_8X8(l2, l6, r2, r6)
    MULTIPLY_8X8(l3, l7, r3, r7)
  }
#else
  uint step_a = TRANSPOSED_A ? m : 1;
  uint step_b = TRANSPOSED_B ? 1 : n;
  uvec4 low = uvec4(0, 1, 2, 3);
  uvec4 high = uvec4(4, 5, 6, 7);
  uint scale_a = TRANSPOSED_A ? 1 : k;
  uint scale_b = TRANSPOSED_B ? k : 1;
  uvec4 a0 = start_a + first * step_a + scale_a * min(tile.row + low, uvec4(m - 1));
  uvec4 a1 = start_a + first * step_a + scale_a * min(tile.row + high, uvec4(m - 1));
  uvec4 b0 = start_b + first * step_b + scale_b * min(tile.column + low, uvec4(n - 1));
  uvec4 b1 = start_b + first * step_b + scale_b * min(tile.column + high, uvec4(n - 1));
  for (uint i = first; i < last; i++) {
    VECTOR left0 = VECTOR(a[a0.x], a[a0.y], a[a0.z], a[a0.w]);
    VECTOR left1 = VECTOR(a[a1.x], a[a1.y], a[a1.z], a[a1.w]);
    VECTOR right0 = VECTOR(b[b0.x], b[b0.y], b[b0.z], b[b0.w]);
    VECTOR right1 = VECTOR(b[b1.x], b[b1.y], b[b1.z], b[b1.w]);
    MULTIPLY_8X8(left0, left1, right0, right1)
    a0 += step_a;
    a1 += step_a;
    b0 += step_b;
    b1 += step_b;
  }
#endif

#define STORE_ROW(i) \
  store_product(start_c, tile.row + i, tile.column, sums[2 * i]); \
  store_product(start_c, tile.row + i, tile.column + 4, sums[2 * i + 1]);
  STORE_ROW(0) STORE_ROW(1) STORE_ROW(2) STORE_ROW(3) STORE_ROW(4) STORE_ROW(5) STORE_ROW(6) STORE_ROW(7)
}
