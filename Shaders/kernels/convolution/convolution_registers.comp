// A convolution or one of its gradients, an 8 x 8 tile per invocation in registers, no shared memory.
// Bindings: 0 left, 1 right, 2 result [splits, ...]: w, x, y; w, y, x; or y, x, w. Push: see convolution.glsl.
// Constants: 0 local size; 1-12 kernel, stride, dilation, padding. Define FORWARD, INPUT_GRADIENT or WEIGHT_GRADIENT.
// Grid: ceil(splits * groups * ceil(rows / 8) * ceil(columns / 8) / local size) groups, folded.
// Source: Chetlur et al. 2014, "cuDNN: Efficient primitives for deep learning", section 3: implicit products.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"
#include "epilogue.glsl"
#include "convolution.glsl"

void store(uint start, uint row, uint group, uint column, VECTOR value) {
  if (row >= row_count()) return;
#define STORE_ONE(i, part) \
  if (column + i < column_count()) { \
    uint at = start + row * result_row_step() + result_start(group, column + i); \
    c[at] = epilogue(at, value.part); \
  }
  STORE_ONE(0, x) STORE_ONE(1, y) STORE_ONE(2, z) STORE_ONE(3, w)
}

void main() {
  uint index = invocation_index();
  uint across = (column_count() + 7) / 8;
  uint down = (row_count() + 7) / 8;
  if (index >= splits * groups * down * across) return;
  uint first_column = index % across * 8;
  uint first_row = index / across % down * 8;
  uint group = index / across / down % groups;
  uint split = index / across / down / groups;

  // A tile over the edge reads the last row or column again in place of those that are missing.
#define FIND(i) find_column(group, min(first_column + i, column_count() - 1))
  Column column0 = FIND(0), column1 = FIND(1), column2 = FIND(2), column3 = FIND(3);
  Column column4 = FIND(4), column5 = FIND(5), column6 = FIND(6), column7 = FIND(7);
#define LEFT(i) left_start(group, min(first_row + i, row_count() - 1))
  uvec4 rows0 = uvec4(LEFT(0), LEFT(1), LEFT(2), LEFT(3));
  uvec4 rows1 = uvec4(LEFT(4), LEFT(5), LEFT(6), LEFT(7));
  VECTOR sums[16];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = VECTOR(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = VECTOR(0);

  uint last = min(point_count(), (split + 1) * split_extent);
  for (uint point = split * split_extent; point < last; point++) {
    ivec3 offset = find_point(point);
    ivec4 found0 = ivec4(
      locate(column0, offset), locate(column1, offset), locate(column2, offset), locate(column3, offset));
    ivec4 found1 = ivec4(
      locate(column4, offset), locate(column5, offset), locate(column6, offset), locate(column7, offset));
    // What lies in the border is read at a place that exists and then replaced by 0.
    bvec4 inside0 = greaterThanEqual(found0, ivec4(0));
    bvec4 inside1 = greaterThanEqual(found1, ivec4(0));
    uvec4 right0 = uvec4(max(found0, ivec4(0)));
    uvec4 right1 = uvec4(max(found1, ivec4(0)));
    uvec4 left0 = rows0 + point * left_point_step();
    uvec4 left1 = rows1 + point * left_point_step();
    for (uint plane = 0; plane < plane_count(); plane++) {
      VECTOR l0 = VECTOR(a[left0.x], a[left0.y], a[left0.z], a[left0.w]);
      VECTOR l1 = VECTOR(a[left1.x], a[left1.y], a[left1.z], a[left1.w]);
      VECTOR r0 = mix(VECTOR(0), VECTOR(b[right0.x], b[right0.y], b[right0.z], b[right0.w]), inside0);
      VECTOR r1 = mix(VECTOR(0), VECTOR(b[right1.x], b[right1.y], b[right1.z], b[right1.w]), inside1);
      MULTIPLY_8X8(l0, l1, r0, r1)
      left0 += left_plane_step();
      left1 += left_plane_step();
      right0 += right_plane_step();
      right1 += right_plane_step();
    }
  }

  uint start = split * result_count();
#define STORE_ROW(i) \
  store(start, first_row + i, group, first_column, sums[2 * i]); \
  store(start, first_row + i, group, first_column + 4, sums[2 * i + 1]);
  STORE_ROW(0) STORE_ROW(1) STORE_ROW(2) STORE_ROW(3) STORE_ROW(4) STORE_ROW(5) STORE_ROW(6) STORE_ROW(7)
}
