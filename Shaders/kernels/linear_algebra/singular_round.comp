// A round of rotations, each of which makes two columns orthogonal, and the same of V. Count is k or k + 1, even.
// Bindings: 0 columns [batches, k, k], one after the other; 1 V, the same; both read and written.
// Constants: 0 local size. Define SCALAR, and WIDE for double. Push: batches, k, count, round < count - 1.
// Grid: batches * count / 2 groups, folded.
// Source: Hestenes 1958, one-sided Jacobi rotations; Golub and Van Loan 2013, section 8.6.3.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "jacobi.glsl"

layout(std430, set = 0, binding = 0) buffer Columns { SCALAR b[]; };
layout(std430, set = 0, binding = 1) buffer Vectors { SCALAR v[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint k;
  uint count;
  uint round;
};

// The lanes' parts of the products p p, q q and p q.
shared SCALAR parts[3 * gl_WorkGroupSize.x];

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint pairs = count / 2;
  uint group = min(group_index(), batches * pairs - 1);
  uvec2 pair = pair_of(group % pairs, round, count);
  bool live = group_index() < batches * pairs && pair.y < k;
  pair = (pair + group / pairs * k) * k;
  uint rows = live ? k : 0;
  SCALAR pp = SCALAR(0);
  SCALAR qq = SCALAR(0);
  SCALAR pq = SCALAR(0);
  for (uint row = lane; row < rows; row += lanes) {
    SCALAR p = b[pair.x + row];
    SCALAR q = b[pair.y + row];
    pp += p * p;
    qq += q * q;
    pq += p * q;
  }
  parts[3 * lane] = pp;
  parts[3 * lane + 1] = qq;
  parts[3 * lane + 2] = pq;
  barrier();
  pp = qq = pq = SCALAR(0);
  for (uint other = 0; other < lanes; other++) {
    pp += parts[3 * other];
    qq += parts[3 * other + 1];
    pq += parts[3 * other + 2];
  }
  Rotation turn = rotation(pp, qq, pq);
  for (uint row = lane; row < rows; row += lanes) {
    SCALAR p = b[pair.x + row];
    SCALAR q = b[pair.y + row];
    b[pair.x + row] = turned_first(turn, p, q);
    b[pair.y + row] = turned_second(turn, p, q);
    p = v[pair.x + row];
    q = v[pair.y + row];
    v[pair.x + row] = turned_first(turn, p, q);
    v[pair.y + row] = turned_second(turn, p, q);
  }
}
