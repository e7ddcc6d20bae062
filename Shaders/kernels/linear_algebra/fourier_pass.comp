// One radix of the Fourier transform of each row, from a source in the order that the radices before it left.
// Bindings: 0 source [rows, n, 2]; 1 roots [n, 2]; 2 result [rows, n, 2]. Push: rows, n, radix, done.
// Constants: 0 local size; 1 inverse: the other sign.
// Grid: ceil(rows * n / local size) groups, folded; one dispatch per radix, done = the product of those before it.
// Source: Stockham's self-sorting transform, Van Loan 1992, section 1.7; one invocation per result.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "fourier.glsl"

layout(push_constant) uniform Extents {
  uint rows;
  uint n;
  uint radix;
  uint done;
};

void main() {
  uint at = invocation_index();
  if (at >= rows * n) return;
  uint row = at / n;
  uint place = at - row * n;
  uint within = place % (done * radix);
  uint first = row * n + place / (done * radix) * done + within % done;
  uint stride = n / radix;
  // Term r is turned by the power r * within / (done * radix) of a whole turn.
  uint turn = within * (stride / done);
  uint power = 0;
  SCALAR real = SCALAR(0);
  SCALAR imaginary = SCALAR(0);
  for (uint r = 0; r < radix; r++) {
    SCALAR a = source[2 * (first + r * stride)];
    SCALAR b = source[2 * (first + r * stride) + 1];
    SCALAR c = roots[2 * power];
    SCALAR s = INVERSE ? -roots[2 * power + 1] : roots[2 * power + 1];
    real += a * c - b * s;
    imaginary += a * s + b * c;
    power += turn;
    if (power >= n) power -= n;
  }
  result[2 * at] = real;
  result[2 * at + 1] = imaginary;
}
