// A convolution of stride 1 along x: per invocation 8 features at 8 neighbours of a row, in registers, for processors.
// Bindings: 0 weights as convolution_weights gives them, 1 x with its border, 2 y. Push: see convolution.glsl.
// Constants: 0 local size; 1-5, 7, 8 kernel (x <= 8), stride, dilation; 13 rows = 1-4, divides kernel y. Define LONG.
// Grid: ceil(batches * groups * ceil(features / 8) * out_z * out_y * ceil(out_x / 8) / local size) groups, folded.
// Source: Zhang et al. 2018, "High performance zero-memory overhead direct convolutions": tiles of features and x.
#version 450
#extension GL_GOOGLE_include_directive : require
#ifdef LONG
#extension GL_ARB_gpu_shader_int64 : require
#endif
layout(local_size_x = 32, local_size_x_id = 0) in;
#define FORWARD
#define VECTORS
#include "grid.glsl"
#include "scalar.glsl"
#include "micro_tile.glsl"
#include "epilogue.glsl"
// Eight neighbours at once. With LONG, floats are read in pairs: a driver that fetches lane by lane does half the work.
#ifdef LONG
#undef ELEMENT
#define ELEMENT u64vec4
#define PAIR(v) uintBitsToFloat(unpackUint2x32(v))
#define READ(values, at, first, second) { \
    ELEMENT read = values[at]; \
    first = VECTOR(PAIR(read.x), PAIR(read.y)); \
    second = VECTOR(PAIR(read.z), PAIR(read.w)); \
  }
#else
#define READ(values, at, first, second) { \
    first = values[2 * (at)]; \
    second = values[2 * (at) + 1]; \
  }
#endif
#include "convolution.glsl"

// How many rows of the kernel are spelled out in the loop's body. A loop's end costs as much as several rows, because
// drivers that compile for a processor store all sums there.
layout(constant_id = 13) const uint ROWS = 1;

void main() {
  uint index = invocation_index();
  uint across = (out_x + 7) / 8;
  uint down = (features + 7) / 8;
  if (index >= batches * groups * down * out_z * out_y * across) return;
  // Neighbours along x, then y and z, share their weights.
  uint x = index % across * 8;
  uint y = index / across % out_y;
  uint z = index / across / out_y % out_z;
  uint tile = index / across / out_y / out_z % (groups * down);
  uint batch = index / across / out_y / out_z / (groups * down);
  uint group = tile / down;
  uint feature = tile % down * 8;

  VECTOR sums[16];
  sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = sums[5] = sums[6] = sums[7] = VECTOR(0);
  sums[8] = sums[9] = sums[10] = sums[11] = sums[12] = sums[13] = sums[14] = sums[15] = VECTOR(0);
  uint left_at = tile * channels * TAPS;
  uint row_step = in_x / 8;
  uint start = (((batch * groups + group) * channels * in_z + z * STRIDE_Z) * in_y + y * STRIDE_Y) * row_step + x / 8;

  // The eight inputs move by one from tap to tap; `next` are those that move in.
#define MOVE \
  right0 = VECTOR(right0.yzw, right1.x); \
  right1 = VECTOR(right1.yzw, next.x); \
  next = next.yzwx;
#define TAKE_TAP { \
    VECTOR left0, left1; \
    READ(a, left_at, left0, left1) \
    left_at++; \
    MULTIPLY_8X8(left0, left1, right0, right1) \
  }
#define TAKE_NEXT_TAP(i) if (i < KERNEL_X) { MOVE TAKE_TAP }
#define TAKE_ROW(i) \
  if (i < ROWS) { \
    uint at = right_at + i * DILATION_Y * row_step; \
    VECTOR right0, right1; \
    VECTOR next = VECTOR(0); \
    VECTOR later = VECTOR(0); \
    READ(b, at, right0, right1) \
    if (KERNEL_X > 1) READ(b, at + 1, next, later) \
    TAKE_TAP TAKE_NEXT_TAP(1) TAKE_NEXT_TAP(2) TAKE_NEXT_TAP(3) TAKE_NEXT_TAP(4) \
    if (KERNEL_X > 5) next = later; \
    TAKE_NEXT_TAP(5) TAKE_NEXT_TAP(6) TAKE_NEXT_TAP(7) \
  }
  const uint STEPS_Y = KERNEL_Y / ROWS;
  const uint STEPS = KERNEL_Z * STEPS_Y;
  uint last = channels * STEPS;
  for (uint step = 0; step < last; step++) {
    uint line = (step / STEPS * in_z + step / STEPS_Y % KERNEL_Z * DILATION_Z) * in_y
      + step % STEPS_Y * (ROWS * DILATION_Y);
    uint right_at = start + line * row_step;
    TAKE_ROW(0) TAKE_ROW(1) TAKE_ROW(2) TAKE_ROW(3)
  }

  uint first = ((batch * groups + group) * features + feature) * out_count() + (z * out_y + y) * out_x + x;
#define STORE(i, offset, value) \
  if (feature + i < features && x + offset < out_x) { \
    uint at = first + i * out_count() + offset; \
    c[at] = epilogue(at, value); \
  }
#define STORE_ROW(i) \
  STORE(i, 0, sums[2 * i].x) STORE(i, 1, sums[2 * i].y) STORE(i, 2, sums[2 * i].z) STORE(i, 3, sums[2 * i].w) \
  STORE(i, 4, sums[2 * i + 1].x) STORE(i, 5, sums[2 * i + 1].y) \
  STORE(i, 6, sums[2 * i + 1].z) STORE(i, 7, sums[2 * i + 1].w)
  STORE_ROW(0) STORE_ROW(1) STORE_ROW(2) STORE_ROW(3) STORE_ROW(4) STORE_ROW(5) STORE_ROW(6) STORE_ROW(7)
}
