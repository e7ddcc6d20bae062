// L with L L^T = A, one block of columns: those before it are in L already; above the diagonal 0.
// Bindings: 0 A [batches, n, n], lower triangle read; 1 L [batches, n, n], read and written. Push: batches, n, first.
// Constants: 0 local size; 1 columns of a block; 2 rows in shared memory: twice the block, or once if n fits; 3 depth.
// Grid: batches * ceil(n / block) groups, folded, per block; first = 0, block, ... in order, a barrier after each.
// Source: left-looking block Cholesky, Golub and Van Loan 2013, section 4.2.6; each group factors the diagonal block.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"

layout(constant_id = 1) const uint BLOCK = 32;
layout(constant_id = 2) const uint ROWS = 64;
layout(constant_id = 3) const uint DEPTH = 16;

const uint PITCH = BLOCK + 1;
const uint SLICE_PITCH = DEPTH + 1;

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR a[]; };
layout(std430, set = 0, binding = 1) buffer Factor { SCALAR l[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint first;
};

// The diagonal block's rows, then those of this group's own block; and a slice of finished columns of both.
shared SCALAR tile[ROWS * PITCH];
shared SCALAR slice[2 * BLOCK * SLICE_PITCH];

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint blocks = (n + BLOCK - 1) / BLOCK;
  uint group = group_index();
  bool exists = group < batches * blocks;
  uint start = exists ? group / blocks * n * n : 0;
  uint own = group % blocks * BLOCK;
  uint width = min(BLOCK, n - first);
  // Blocks above the diagonal are zeros: they take part in the barriers with nothing to do.
  uint diagonal_rows = exists && own >= first ? width : 0;
  uint own_rows = exists && own > first ? min(BLOCK, n - own) : 0;
  uint rows = diagonal_rows + own_rows;

  // Row r of the tile is this row of the matrix.
#define MATRIX_ROW(r) ((r) < diagonal_rows ? first + (r) : own + (r) - diagonal_rows)

  for (uint at = lane; at < rows * width; at += lanes) {
    uint row = at / width;
    uint column = at - row * width;
    // What lies above the diagonal is never used.
    tile[row * PITCH + column] = a[start + MATRIX_ROW(row) * n + first + column];
  }
  uint finished = rows > 0 ? first : 0;
  for (uint k = 0; k < finished; k += DEPTH) {
    uint deep = min(DEPTH, finished - k);
    barrier();
    // Zeros fill the last slice, so that the sums have a constant number of terms.
    for (uint at = lane; at < rows * DEPTH; at += lanes) {
      uint row = at / DEPTH;
      uint column = at % DEPTH;
      SCALAR value = SCALAR(0);
      if (column < deep) value = l[start + MATRIX_ROW(row) * n + k + column];
      slice[row * SLICE_PITCH + column] = value;
    }
    barrier();
    for (uint at = lane; at < rows * width; at += lanes) {
      uint row = at / width;
      uint column = at - row * width;
      SCALAR sum = SCALAR(0);
      for (uint i = 0; i < DEPTH; i++) sum += slice[row * SLICE_PITCH + i] * slice[column * SLICE_PITCH + i];
      tile[row * PITCH + column] -= sum;
    }
  }
  barrier();

  // Column by column: what is left of it by its rows in parallel, then the division by the pivot. The diagonal
  // keeps the pivot's square, which no later sum reads.
  for (uint j = 0; j < width; j++) {
    for (uint row = j + lane; row < rows; row += lanes) {
      SCALAR rest = tile[row * PITCH + j];
      for (uint i = 0; i < j; i++) rest -= tile[row * PITCH + i] * tile[j * PITCH + i];
      tile[row * PITCH + j] = rest;
    }
    barrier();
    SCALAR square = tile[j * PITCH + j];
    // The root of what is not positive is open in GLSL; here it is NaN.
    SCALAR pivot = square > SCALAR(0) ? sqrt(square) : SCALAR(uintBitsToFloat(0x7FC00000u));
    for (uint row = j + 1 + lane; row < rows; row += lanes) tile[row * PITCH + j] /= pivot;
    barrier();
  }

  if (!exists) return;
  uint height = min(BLOCK, n - own);
  for (uint at = lane; at < height * width; at += lanes) {
    uint row = at / width;
    uint column = at - row * width;
    SCALAR value = SCALAR(0);
    if (own > first) {
      value = tile[(diagonal_rows + row) * PITCH + column];
    } else if (own == first && column < row) {
      value = tile[row * PITCH + column];
    } else if (own == first && column == row) {
      SCALAR square = tile[row * PITCH + row];
      value = square > SCALAR(0) ? sqrt(square) : SCALAR(uintBitsToFloat(0x7FC00000u));
    }
    l[start + (own + row) * n + first + column] = value;
  }
}
