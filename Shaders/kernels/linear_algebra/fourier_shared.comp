// The Fourier transform of each row, all radices in shared memory: for n up to some thousand.
// Bindings: 0 source [rows, n, 2]; 1 roots [n, 2]; 2 result [rows, n, 2]. Push: rows, n.
// Constants: 0 local size; 1 inverse: the other sign; 2 capacity >= n: shared memory holds 4 * capacity numbers.
// Grid: rows groups, folded.
// Source: Stockham's self-sorting transform, Van Loan 1992, section 1.7; radices 4, 2, 3, 5, ... in this order.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "fourier.glsl"

layout(constant_id = 2) const uint CAPACITY = 1024;

layout(push_constant) uniform Extents {
  uint rows;
  uint n;
};

// Two arrays, which the passes read and write in turn.
shared SCALAR reals[2 * CAPACITY];
shared SCALAR imaginaries[2 * CAPACITY];

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  // Groups left over do the last row's work and write nothing.
  uint row = min(group_index(), rows - 1);
  for (uint at = lane; at < n; at += lanes) {
    reals[at] = source[2 * (row * n + at)];
    imaginaries[at] = source[2 * (row * n + at) + 1];
  }
  barrier();
  uint from = 0;
  uint radix = 4;
  for (uint done = 1; done < n; done *= radix) {
    uint rest = n / done;
    // The next radix that divides: at the latest the rest itself.
    while (rest % radix != 0) radix = radix == 4 ? 2 : (radix == 2 ? 3 : radix + 2);
    uint stride = n / radix;
    uint to = CAPACITY - from;
    for (uint at = lane; at < n; at += lanes) {
      uint within = at % (done * radix);
      uint first = from + at / (done * radix) * done + within % done;
      uint turn = within * (stride / done);
      uint power = 0;
      SCALAR real = SCALAR(0);
      SCALAR imaginary = SCALAR(0);
      for (uint r = 0; r < radix; r++) {
        SCALAR a = reals[first + r * stride];
        SCALAR b = imaginaries[first + r * stride];
        SCALAR c = roots[2 * power];
        SCALAR s = INVERSE ? -roots[2 * power + 1] : roots[2 * power + 1];
        real += a * c - b * s;
        imaginary += a * s + b * c;
        power += turn;
        if (power >= n) power -= n;
      }
      reals[to + at] = real;
      imaginaries[to + at] = imaginary;
    }
    barrier();
    from = to;
  }
  if (group_index() >= rows) return;
  for (uint at = lane; at < n; at += lanes) {
    result[2 * (row * n + at)] = reals[from + at];
    result[2 * (row * n + at) + 1] = imaginaries[from + at];
  }
}
