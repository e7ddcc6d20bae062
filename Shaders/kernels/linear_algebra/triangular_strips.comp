// X with op(T) X = B, a strip of right sides per group, which stays in shared memory.
// Bindings: 0 T [batches, n, n]; 1 B [batches, n, columns]; 2 X, as B. Push: batches, n, columns.
// Constants: 0 local size; 1, 2, 3 see triangular.glsl; 4 width of a strip; 5 block; 6 strip elements, >= width * n.
// Grid: batches * ceil(columns / width) groups, folded.
// Source: left-looking block substitution, Golub and Van Loan 2013, section 3.1.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "triangular.glsl"

layout(constant_id = 4) const uint WIDTH = 32;
layout(constant_id = 5) const uint BLOCK = 32;
layout(constant_id = 6) const uint CAPACITY = 2048;

const uint PITCH = BLOCK + 1;

shared SCALAR strip[CAPACITY];
shared SCALAR tile[BLOCK * PITCH];

// Rows and columns are counted in the order of solution: position 0 is solved first.
uint place(uint position) { return FORWARD ? position : n - 1 - position; }

// The block of op(T) whose corner is (row, column), in positions, into `tile`; neighbours in memory by neighbours.
void load_tile(uint start, uint row, uint column) {
  uint height = min(BLOCK, n - row);
  uint width = min(BLOCK, n - column);
  for (uint at = gl_LocalInvocationID.x; at < BLOCK * BLOCK; at += gl_WorkGroupSize.x) {
    uint slow = at / BLOCK;
    uint fast = at - slow * BLOCK;
    uint r = TRANSPOSED ? fast : slow;
    uint c = TRANSPOSED ? slow : fast;
    if (r < height && c < width) {
      uint i = place(row + r);
      uint k = place(column + c);
      tile[r * PITCH + c] = matrix[start + (TRANSPOSED ? k * n + i : i * n + k)];
    }
  }
}

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint strips = (columns + WIDTH - 1) / WIDTH;
  uint group = group_index();
  bool exists = group < batches * strips;
  // Groups left over do the first group's work and write nothing.
  uint item = exists ? group / strips : 0;
  uint first = exists ? group % strips * WIDTH : 0;
  uint width = min(WIDTH, columns - first);
  uint start = item * n * n;
  uint side = item * n * columns + first;

  for (uint at = lane; at < n * WIDTH; at += lanes) {
    uint row = at / WIDTH;
    uint column = at - row * WIDTH;
    strip[at] = column < width ? sides[side + place(row) * columns + column] : SCALAR(0);
  }
  for (uint row = 0; row < n; row += BLOCK) {
    uint height = min(BLOCK, n - row);
    for (uint done = 0; done < row; done += BLOCK) {
      barrier();
      load_tile(start, row, done);
      barrier();
      for (uint at = lane; at < height * WIDTH; at += lanes) {
        uint r = at / WIDTH;
        uint column = at - r * WIDTH;
        SCALAR sum = SCALAR(0);
        for (uint i = 0; i < BLOCK; i++) sum += tile[r * PITCH + i] * strip[(done + i) * WIDTH + column];
        strip[(row + r) * WIDTH + column] -= sum;
      }
    }
    barrier();
    load_tile(start, row, row);
    barrier();
    // Within the block each right side is one invocation's.
    for (uint column = lane; column < WIDTH; column += lanes) {
      for (uint r = 0; r < height; r++) {
        SCALAR rest = strip[(row + r) * WIDTH + column];
        for (uint i = 0; i < r; i++) rest -= tile[r * PITCH + i] * strip[(row + i) * WIDTH + column];
        strip[(row + r) * WIDTH + column] = UNIT_DIAGONAL ? rest : rest / tile[r * PITCH + r];
      }
    }
  }
  barrier();
  if (!exists) return;
  for (uint at = lane; at < n * WIDTH; at += lanes) {
    uint row = at / WIDTH;
    uint column = at - row * WIDTH;
    if (column < width) solution[side + place(row) * columns + column] = strip[at];
  }
}
