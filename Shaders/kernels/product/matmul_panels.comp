// C[b, m, n] = A[b, m, k] B[b, k, n] of packed factors, an 8 x 32 tile per invocation in long vectors, for processors.
// Bindings: 0, 1 A, B by matmul_pack, in panels of 8 rows, 32 columns; 2 C [batches, m, n]. Push: see product.glsl.
// Constants: 0 local size. Strides are those of the packed factors, k and n multiples of 4, splits 1.
// Grid: ceil(batches * ceil(m / 8) * ceil(n / 32) / local size) groups, folded.
// Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": panels, outer products.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 4, local_size_x_id = 0) in;
#define VECTORS 1
#include "grid.glsl"
#include "scalar.glsl"
#include "epilogue.glsl"
#include "product.glsl"

// A GLSL matrix is 16 neighbours of a row here, which in OpenCL C are one vector.
void main() {
  uint index = invocation_index();
  if (index >= tile_count(8, 32)) return;
  // Neighbours share their panel of B, which stays in the second cache while all of A passes by.
  uint down = (m + 7) / 8;
  uint across = (n + 31) / 32;
  uint row = index % down * 8;
  uint column = index / down % across * 32;
  uint batch = index / down / across;

  uint at_a = (batch * stride_a + row * k) / 4;
  uint at_b = (batch * stride_b + column * k) / 4;
  mat4 sums[16];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = mat4(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = mat4(0);
  for (uint i = 0; i < k; i++) {
    vec4 left0 = a[at_a];
    vec4 left1 = a[at_a + 1];
    mat4 right0 = mat4(b[at_b], b[at_b + 1], b[at_b + 2], b[at_b + 3]);
    mat4 right1 = mat4(b[at_b + 4], b[at_b + 5], b[at_b + 6], b[at_b + 7]);
    at_a += 2;
    at_b += 8;
#define TAKE_ROW(row, left) \
    sums[2 * row] += left * right0; \
    sums[2 * row + 1] += left * right1;
    TAKE_ROW(0, left0.x) TAKE_ROW(1, left0.y) TAKE_ROW(2, left0.z) TAKE_ROW(3, left0.w)
    TAKE_ROW(4, left1.x) TAKE_ROW(5, left1.y) TAKE_ROW(6, left1.z) TAKE_ROW(7, left1.w)
  }

  // A copy, so that it is this array which lies in memory for its computed index. A loop, because what follows the product
  // is compiled for each place that stores.
  mat4 results[16];
  results[0] = sums[0]; results[1] = sums[1]; results[2] = sums[2]; results[3] = sums[3];
  results[4] = sums[4]; results[5] = sums[5]; results[6] = sums[6]; results[7] = sums[7];
  results[8] = sums[8]; results[9] = sums[9]; results[10] = sums[10]; results[11] = sums[11];
  results[12] = sums[12]; results[13] = sums[13]; results[14] = sums[14]; results[15] = sums[15];
  for (uint i = 0; i < 64; i++) {
    store_product(batch * m * n, row + i / 8, column + i % 8 * 4, results[i / 4][i % 4]);
  }
}
