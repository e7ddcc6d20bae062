// Tiles of sums that one invocation keeps in registers, as rows of vectors. Include scalar.glsl before.

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
