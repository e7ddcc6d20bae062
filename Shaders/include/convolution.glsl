// Convolutions over up to three axes as products of matrices that nobody builds. With x [batches, groups, channels,
// in...], w [groups, features, channels, kernel...] and y [batches, groups, features, out...], an output o and a tap
// t meet the input o * STRIDE + t * DILATION - PADDING. One define names the direction, for each group
//   FORWARD          y = w x     rows: features, columns: batches and outputs, sum over taps and channels
//   INPUT_GRADIENT   x = w^T y   rows: channels, columns: batches and inputs, sum over taps and features
//   WEIGHT_GRADIENT  w = y x^T   rows: features, columns: channels and taps, sum over outputs and batches
// Sums run over `points` (taps or outputs) and within each over `planes` (channels, features or batches). With more
// than one part (`splits`), part s sums points s * split_extent ..< (s + 1) * split_extent and writes a result of its
// own. Include grid.glsl, scalar.glsl and epilogue.glsl before.

#ifndef RESULT_BINDING
#define RESULT_BINDING 2
#endif

layout(constant_id = 1) const uint KERNEL_Z = 1;
layout(constant_id = 2) const uint KERNEL_Y = 1;
layout(constant_id = 3) const uint KERNEL_X = 1;
layout(constant_id = 4) const uint STRIDE_Z = 1;
layout(constant_id = 5) const uint STRIDE_Y = 1;
layout(constant_id = 6) const uint STRIDE_X = 1;
layout(constant_id = 7) const uint DILATION_Z = 1;
layout(constant_id = 8) const uint DILATION_Y = 1;
layout(constant_id = 9) const uint DILATION_X = 1;
layout(constant_id = 10) const uint PADDING_Z = 0;
layout(constant_id = 11) const uint PADDING_Y = 0;
layout(constant_id = 12) const uint PADDING_X = 0;
const uint TAPS = KERNEL_Z * KERNEL_Y * KERNEL_X;

layout(std430, set = 0, binding = 0) readonly buffer Left { ELEMENT a[]; };
layout(std430, set = 0, binding = 1) readonly buffer Right { ELEMENT b[]; };
layout(std430, set = 0, binding = RESULT_BINDING) writeonly buffer Result { SCALAR c[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint groups;
  uint channels;
  uint features;
  uint in_z;
  uint in_y;
  uint in_x;
  uint out_z;
  uint out_y;
  uint out_x;
  uint splits;
  uint split_extent;
};

uint in_count() { return in_z * in_y * in_x; }
uint out_count() { return out_z * out_y * out_x; }

#if defined(FORWARD)
uint row_count() { return features; }
uint column_count() { return batches * out_count(); }
uint point_count() { return TAPS; }
uint plane_count() { return channels; }
uint left_start(uint group, uint row) { return (group * features + row) * channels * TAPS; }
uint left_point_step() { return 1; }
uint left_plane_step() { return TAPS; }
uint right_plane_step() { return in_count(); }
uint result_row_step() { return out_count(); }
uint result_start(uint group, uint column) {
  return (column / out_count() * groups + group) * features * out_count() + column % out_count();
}
uint result_count() { return batches * groups * features * out_count(); }
#elif defined(INPUT_GRADIENT)
uint row_count() { return channels; }
uint column_count() { return batches * in_count(); }
uint point_count() { return TAPS; }
uint plane_count() { return features; }
uint left_start(uint group, uint row) { return (group * features * channels + row) * TAPS; }
uint left_point_step() { return 1; }
uint left_plane_step() { return channels * TAPS; }
uint right_plane_step() { return out_count(); }
uint result_row_step() { return in_count(); }
uint result_start(uint group, uint column) {
  return (column / in_count() * groups + group) * channels * in_count() + column % in_count();
}
uint result_count() { return batches * groups * channels * in_count(); }
#else
uint row_count() { return features; }
uint column_count() { return channels * TAPS; }
uint point_count() { return out_count(); }
uint plane_count() { return batches; }
uint left_start(uint group, uint row) { return (group * features + row) * out_count(); }
uint left_point_step() { return 1; }
uint left_plane_step() { return groups * features * out_count(); }
uint right_plane_step() { return groups * channels * in_count(); }
uint result_row_step() { return channels * TAPS; }
uint result_start(uint group, uint column) { return group * features * channels * TAPS + column; }
uint result_count() { return groups * features * channels * TAPS; }
#endif

// What of a column of the right matrix does not change along the sum: the first plane it reads, and where.
struct Column {
  uint start;
  int z;
  int y;
  int x;
};

Column find_column(uint group, uint column) {
  Column found;
#if defined(FORWARD)
  uint at = column % out_count();
  found.start = (column / out_count() * groups + group) * channels * in_count();
  found.z = int(at / (out_x * out_y) * STRIDE_Z) - int(PADDING_Z);
  found.y = int(at / out_x % out_y * STRIDE_Y) - int(PADDING_Y);
  found.x = int(at % out_x * STRIDE_X) - int(PADDING_X);
#elif defined(INPUT_GRADIENT)
  uint at = column % in_count();
  found.start = (column / in_count() * groups + group) * features * out_count();
  found.z = int(at / (in_x * in_y) + PADDING_Z);
  found.y = int(at / in_x % in_y + PADDING_Y);
  found.x = int(at % in_x + PADDING_X);
#else
  uint tap = column % TAPS;
  found.start = (group * channels + column / TAPS) * in_count();
  found.z = int(tap / (KERNEL_X * KERNEL_Y) * DILATION_Z) - int(PADDING_Z);
  found.y = int(tap / KERNEL_X % KERNEL_Y * DILATION_Y) - int(PADDING_Y);
  found.x = int(tap % KERNEL_X * DILATION_X) - int(PADDING_X);
#endif
  return found;
}

// How far a point of the sum moves a column along each axis.
ivec3 find_point(uint point) {
#ifdef WEIGHT_GRADIENT
  return ivec3(
    point / (out_x * out_y) * STRIDE_Z, point / out_x % out_y * STRIDE_Y, point % out_x * STRIDE_X);
#else
  return ivec3(
    point / (KERNEL_X * KERNEL_Y) * DILATION_Z, point / KERNEL_X % KERNEL_Y * DILATION_Y,
    point % KERNEL_X * DILATION_X);
#endif
}

// The element of its first plane that a column reads at a point, or -1 in the border. Without branches.
int locate(Column column, ivec3 point) {
#ifdef INPUT_GRADIENT
  int z = column.z - point.x;
  int y = column.y - point.y;
  int x = column.x - point.z;
  bool inside = z >= 0 && y >= 0 && x >= 0;
  z = max(z, 0);
  y = max(y, 0);
  x = max(x, 0);
  inside = inside && z % int(STRIDE_Z) == 0 && y % int(STRIDE_Y) == 0 && x % int(STRIDE_X) == 0;
  z /= int(STRIDE_Z);
  y /= int(STRIDE_Y);
  x /= int(STRIDE_X);
  inside = inside && z < int(out_z) && y < int(out_y) && x < int(out_x);
  int at = int(column.start) + (z * int(out_y) + y) * int(out_x) + x;
#else
  int z = column.z + point.x;
  int y = column.y + point.y;
  int x = column.x + point.z;
  bool inside = z >= 0 && y >= 0 && x >= 0 && z < int(in_z) && y < int(in_y) && x < int(in_x);
  int at = int(column.start) + (z * int(in_y) + y) * int(in_x) + x;
#endif
  return inside ? at : -1;
}
