// A round of rotations J: W becomes J^T W J, in which the pairs of the round are 0, and V becomes V J.
// Bindings: 0 W [batches, count, count]; 1 rests [batches]; 2 J^T W J; 3 V [batches, n, count], read and written.
// Constants: 0 local size. Define SCALAR, and WIDE for double. Push: batches, n, count, round < count - 1.
// Grid: ceil(batches * count / 2 * (count / 2 + n) / local size) groups, folded.
// Source: the parallel Jacobi method, Golub and Van Loan 2013, section 8.5.6: the blocks of two pairs are independent.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "jacobi.glsl"

layout(std430, set = 0, binding = 0) readonly buffer Work { SCALAR w[]; };
layout(std430, set = 0, binding = 1) readonly buffer Rests { SCALAR rests[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Turned { SCALAR turned[]; };
layout(std430, set = 0, binding = 3) buffer Vectors { SCALAR v[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
  uint count;
  uint round;
};

// The rotation of a pair. Two values that are close beside what is left off the diagonal would turn by large angles for
// small elements, and bring back what other pairs have removed: they wait until the rest is as small.
Rotation turn_of(uint item, uvec2 pair) {
  uint start = item * count * count;
  SCALAR pp = w[start + pair.x * count + pair.x];
  SCALAR qq = w[start + pair.y * count + pair.y];
  SCALAR pq = w[start + pair.x * count + pair.y];
  SCALAR rest = rests[item];
  bool waits = abs(pq) < SCALAR(0.3) * rest / SCALAR(count) && abs(pp - qq) < SCALAR(0.1) * rest;
  return rotation(pp, qq, waits ? SCALAR(0) : pq);
}

void main() {
  uint pairs = count / 2;
  uint each = pairs * (pairs + n);
  uint index = invocation_index();
  if (index >= batches * each) return;
  uint item = index / each;
  uint line = index % each / pairs;
  uint start = item * count * count;
#define AT(row, column) (start + (row) * count + (column))
  uvec2 right = pair_of(index % pairs, round, count);
  Rotation across = turn_of(item, right);
  if (line >= pairs) {
    uint row = (item * n + line - pairs) * count;
    SCALAR x = v[row + right.x];
    SCALAR y = v[row + right.y];
    v[row + right.x] = turned_first(across, x, y);
    v[row + right.y] = turned_second(across, x, y);
    return;
  }
  // The other triangle is a copy of this one, which keeps the matrix symmetric to the bit.
  if (line > index % pairs) return;
  uvec2 left = pair_of(line, round, count);
  Rotation down = turn_of(item, left);
  SCALAR xx = w[AT(left.x, right.x)];
  SCALAR xy = w[AT(left.x, right.y)];
  SCALAR yx = w[AT(left.y, right.x)];
  SCALAR yy = w[AT(left.y, right.y)];
  SCALAR top_x = turned_first(across, xx, xy);
  SCALAR top_y = turned_second(across, xx, xy);
  SCALAR low_x = turned_first(across, yx, yy);
  SCALAR low_y = turned_second(across, yx, yy);
  xx = turned_first(down, top_x, low_x);
  xy = turned_first(down, top_y, low_y);
  yx = turned_second(down, top_x, low_x);
  yy = turned_second(down, top_y, low_y);
  if (line == index % pairs && across.s != SCALAR(0)) {
    xy = SCALAR(0);
    yx = SCALAR(0);
  }
  turned[AT(left.x, right.x)] = xx;
  turned[AT(left.x, right.y)] = xy;
  turned[AT(left.y, right.x)] = yx;
  turned[AT(left.y, right.y)] = yy;
  if (line == index % pairs) return;
  turned[AT(right.x, left.x)] = xx;
  turned[AT(right.y, left.x)] = xy;
  turned[AT(right.x, left.y)] = yx;
  turned[AT(right.y, left.y)] = yy;
}
