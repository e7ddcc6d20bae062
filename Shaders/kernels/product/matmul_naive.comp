// C[b, m, n] = op(A)[b, m, k] op(B)[b, k, n], one element per invocation: the yardstick.
// Bindings: 0 A [batches, m, k]; 1 B [batches, k, n]; 2 C [splits, batches, m, n]. Push: see product.glsl.
// Constants: 0 local size; 1 A is stored [batches, k, m]; 2 B is stored [batches, n, k].
// Grid: ceil(splits * batches * m * n / local size) groups, folded.
// Source: the definition.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "epilogue.glsl"
#include "product.glsl"

void main() {
  uint index = invocation_index();
  if (index >= tile_count(1, 1)) return;
  Tile tile = locate_tile(index, 1, 1);

  uint first = tile.split * split_extent;
  uint last = min(k, first + split_extent);
  uint step_a = TRANSPOSED_A ? m : 1;
  uint step_b = TRANSPOSED_B ? 1 : n;
  uint at_a = tile.batch * stride_a + (TRANSPOSED_A ? tile.row : tile.row * k) + first * step_a;
  uint at_b = tile.batch * stride_b + (TRANSPOSED_B ? tile.column * k : tile.column) + first * step_b;
  SCALAR sum = SCALAR(0);
  for (uint i = first; i < last; i++) {
    sum = fma(a[at_a], b[at_b], sum);
    at_a += step_a;
    at_b += step_b;
  }
  c[index] = epilogue(index, sum);
}
