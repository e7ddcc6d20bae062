// A convolution or one of its gradients, a 64 x 64 tile per group of 64 invocations in shared memory, for GPUs.
// Bindings: 0 left, 1 right, 2 result [splits, ...]: w, x, y; w, y, x; or y, x, w. Push: see convolution.glsl.
// Constants: 0 local size = 64; 1-12 kernel, stride, dilation, padding. Define FORWARD, INPUT_GRADIENT or WEIGHT_GRADIENT.
// Grid: splits * groups * ceil(rows / 64) * ceil(columns / 64) groups, folded.
// Source: Chetlur et al. 2014, "cuDNN: Efficient primitives for deep learning", section 3: implicit products.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"
#include "epilogue.glsl"
#include "convolution.glsl"

const uint TILE = 64;
const uint DEPTH = 8;
// One scalar row of four words of padding spreads the rows over the banks.
const uint PITCH = TILE / 4 + 1;
shared VECTOR tile_a[DEPTH * PITCH];
shared VECTOR tile_b[DEPTH * PITCH];

void main() {
  // A group left over by the fold works on the last tile again and stores nothing: all meet every barrier.
  uint across = (column_count() + TILE - 1) / TILE;
  uint down = (row_count() + TILE - 1) / TILE;
  uint count = splits * groups * down * across;
  bool live = group_index() < count;
  uint index = min(group_index(), count - 1);
  uint first_column = index % across * TILE;
  uint first_row = index / across % down * TILE;
  uint group = index / across / down % groups;
  uint split = index / across / down / groups;

  // This invocation brings one row of the left tile and one column of the right, DEPTH elements each.
  uint lane = gl_LocalInvocationID.x;
  Column column = find_column(group, min(first_column + lane, column_count() - 1));
  uint left = left_start(group, min(first_row + lane, row_count() - 1));
  uint first_point = split * split_extent;
  uint last_point = max(first_point, min(point_count(), first_point + split_extent));
  uint steps = (last_point - first_point) * plane_count();

  // The element of the sum that is fetched next; the same for all invocations.
  uint point = first_point;
  uint plane = 0;
  int found = steps > 0 ? locate(column, find_point(point)) : -1;
  VECTOR fetched_a[2];
  VECTOR fetched_b[2];
#define FETCH_ONE(i, part) { \
    bool exists = point < last_point; \
    uint safe_point = exists ? point : first_point; \
    uint left_at = left + safe_point * left_point_step() + plane * left_plane_step(); \
    uint right_at = uint(max(found, 0)) + plane * right_plane_step(); \
    SCALAR left_value = a[left_at]; \
    SCALAR right_value = b[right_at]; \
    fetched_a[i].part = exists ? left_value : SCALAR(0); \
    fetched_b[i].part = exists && found >= 0 ? right_value : SCALAR(0); \
    plane++; \
    if (plane == plane_count()) { \
      plane = 0; \
      point++; \
      found = point < last_point ? locate(column, find_point(point)) : -1; \
    } \
  }
#define FETCH \
  FETCH_ONE(0, x) FETCH_ONE(0, y) FETCH_ONE(0, z) FETCH_ONE(0, w) \
  FETCH_ONE(1, x) FETCH_ONE(1, y) FETCH_ONE(1, z) FETCH_ONE(1, w)

  uint x = lane % 8;
  uint y = lane / 8;
  VECTOR sums[16];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = VECTOR(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = VECTOR(0);

  uint word = lane / 4;
  uint part = lane % 4;
  FETCH
  for (uint depth = 0; depth < steps; depth += DEPTH) {
    barrier();
#define KEEP(i, p, row) \
    tile_a[(row) * PITCH + word][part] = fetched_a[i].p; \
    tile_b[(row) * PITCH + word][part] = fetched_b[i].p;
    KEEP(0, x, 0) KEEP(0, y, 1) KEEP(0, z, 2) KEEP(0, w, 3)
    KEEP(1, x, 4) KEEP(1, y, 5) KEEP(1, z, 6) KEEP(1, w, 7)
    barrier();
    // The next elements are on their way while these are multiplied.
    if (depth + DEPTH < steps) {
      FETCH
    }
    for (uint i = 0; i < DEPTH; i++) {
      VECTOR left0 = tile_a[i * PITCH + y];
      VECTOR left1 = tile_a[i * PITCH + TILE / 8 + y];
      VECTOR right0 = tile_b[i * PITCH + x];
      VECTOR right1 = tile_b[i * PITCH + TILE / 8 + x];
      MULTIPLY_8X8(left0, left1, right0, right1)
    }
  }
  if (!live) return;

  // Rows 4 y ..< 4 y + 4 and columns 4 x ..< 4 x + 4 of the tile, and those half a tile further.
  uint start = split * result_count();
#define STORE(row, offset, value) \
  if (first_row + (row) < row_count() && first_column + (offset) < column_count()) { \
    uint at = start + (first_row + (row)) * result_row_step() + result_start(group, first_column + (offset)); \
    c[at] = epilogue(at, value); \
  }
#define STORE_ROW(i, row) \
  STORE(row, 4 * x, sums[2 * i].x) STORE(row, 4 * x + 1, sums[2 * i].y) \
  STORE(row, 4 * x + 2, sums[2 * i].z) STORE(row, 4 * x + 3, sums[2 * i].w) \
  STORE(row, 32 + 4 * x, sums[2 * i + 1].x) STORE(row, 33 + 4 * x, sums[2 * i + 1].y) \
  STORE(row, 34 + 4 * x, sums[2 * i + 1].z) STORE(row, 35 + 4 * x, sums[2 * i + 1].w)
  STORE_ROW(0, 4 * y) STORE_ROW(1, 4 * y + 1) STORE_ROW(2, 4 * y + 2) STORE_ROW(3, 4 * y + 3)
  STORE_ROW(4, 32 + 4 * y) STORE_ROW(5, 33 + 4 * y) STORE_ROW(6, 34 + 4 * y) STORE_ROW(7, 35 + 4 * y)
}
