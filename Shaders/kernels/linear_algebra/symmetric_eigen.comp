// A = V diag(w) V^T for symmetric A, the lower triangle read: w ascending, vectors in V's columns; NaN if not finite.
// Bindings: 0 A [batches, n, n]; 1 w [batches, n]; 2 V, as A; GLOBAL: 3, 4 [batches, size, size]. Push: batches, n.
// Constants: 0 local size; 1 capacity >= size^2, size = n or n + 1 made even; 2 pairs >= size / 2. GLOBAL: 1 is unused.
// Grid: batches groups, folded.
// Source: Jacobi's rotations in parallel order, Golub and Van Loan 2013, section 8.5; each sweep meets all pairs.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "factorization.glsl"
#include "jacobi.glsl"

layout(constant_id = 1) const uint CAPACITY = 1024;
layout(constant_id = 2) const uint PAIRS = 16;

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR matrix[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Values { SCALAR values[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Vectors { SCALAR vectors[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint n;
};

// The matrix, which becomes diagonal, and the vectors found so far, one per row. An odd matrix has a row and a column
// of zeros more.
#ifdef GLOBAL
layout(std430, set = 0, binding = 3) EXCHANGED buffer Work { SCALAR work[]; };
layout(std430, set = 0, binding = 4) EXCHANGED buffer Basis { SCALAR basis[]; };
#define A(row, column) work[start + (row) * size + (column)]
#define V(vector, element) basis[start + (vector) * size + (element)]
#else
shared SCALAR work[CAPACITY];
shared SCALAR basis[CAPACITY];
#define A(row, column) work[(row) * size + (column)]
#define V(vector, element) basis[(vector) * size + (element)]
#endif

// The rotation of each pair.
shared SCALAR cosines[PAIRS];
shared SCALAR sines[PAIRS];

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint item = group_index();
  // Groups left over have matrices of no rows.
  uint extent = item < batches ? n : 0;
  uint size = extent + (extent & 1);
  uint half_size = size / 2;
  uint rounds = max(size, 1) - 1;
#ifdef GLOBAL
  uint start = item * size * size;
#endif

  SCALAR largest = SCALAR(0);
  for (uint at = lane; at < extent * extent; at += lanes) {
    uint row = at / extent;
    uint column = at - row * extent;
    SCALAR magnitude = column <= row ? abs(matrix[item * n * n + at]) : SCALAR(0);
    largest = magnitude > largest ? magnitude : largest;
  }
  SCALAR scale = group_scale(largest);
  SCALAR square = SCALAR(0);
  for (uint at = lane; at < size * size; at += lanes) {
    uint row = at / size;
    uint column = at - row * size;
    uint low = max(row, column);
    SCALAR element = SCALAR(0);
    if (low < extent) element = matrix[item * n * n + low * n + min(row, column)] / scale;
    A(row, column) = element;
    V(row, column) = row == column ? SCALAR(1) : SCALAR(0);
    square += element * element;
  }
  SYNCHRONIZE();
  SCALAR bound = ROUNDOFF * ROUNDOFF * group_sum(square);

  // The sum of the squares outside of the diagonal.
  SCALAR outside = SCALAR(0);
  uint sweep = 0;
  do {
    uint round = 0;
    do {
      SYNCHRONIZE();
      for (uint pair = lane; pair < half_size; pair += lanes) {
        uvec2 place = rotation_pair(pair, round, size);
        SCALAR twice = SCALAR(2) * A(place.x, place.y);
        SCALAR difference = A(place.y, place.y) - A(place.x, place.x);
        // The smaller root of t^2 + t difference / A[p, q] = 1, its terms scaled so that no square overflows.
        SCALAR most = max(abs(difference), abs(twice));
        SCALAR tangent = SCALAR(0);
        if (twice != SCALAR(0)) {
          SCALAR x = difference / most;
          SCALAR y = twice / most;
          tangent = (x < SCALAR(0) ? -y : y) / (abs(x) + sqrt(x * x + y * y));
        }
        SCALAR cosine = SCALAR(1) / sqrt(tangent * tangent + SCALAR(1));
        cosines[pair] = cosine;
        sines[pair] = tangent * cosine;
      }
      SYNCHRONIZE();
      // Both rotations of the 2 x 2 elements in which two pairs meet; pair i up to pair j, and mirrored.
      for (uint at = lane; at < half_size * (half_size + 1) / 2; at += lanes) {
        // Rows i and half_size - 1 - i of the triangle lie behind each other.
        uint slow = at / (half_size + 1);
        uint fast = at - slow * (half_size + 1);
        uint i = fast > slow ? slow : half_size - 1 - slow;
        uint j = fast > slow ? fast - 1 : half_size - 1 - fast;
        uvec2 p = rotation_pair(i, round, size);
        uvec2 q = rotation_pair(j, round, size);
        SCALAR c = cosines[i];
        SCALAR s = sines[i];
        SCALAR xx = A(p.x, q.x);
        SCALAR xy = A(p.x, q.y);
        SCALAR yy = A(p.y, q.y);
        if (i == j) {
          SCALAR shift = s / c * xy;
          A(p.x, p.x) = xx - shift;
          A(p.y, p.y) = yy + shift;
          A(p.x, p.y) = SCALAR(0);
          A(p.y, p.x) = SCALAR(0);
        } else {
          SCALAR yx = A(p.y, q.x);
          SCALAR upper_x = c * xx - s * yx;
          SCALAR upper_y = c * xy - s * yy;
          SCALAR lower_x = s * xx + c * yx;
          SCALAR lower_y = s * xy + c * yy;
          c = cosines[j];
          s = sines[j];
          xx = c * upper_x - s * upper_y;
          xy = s * upper_x + c * upper_y;
          yx = c * lower_x - s * lower_y;
          yy = s * lower_x + c * lower_y;
          A(p.x, q.x) = xx;
          A(q.x, p.x) = xx;
          A(p.x, q.y) = xy;
          A(q.y, p.x) = xy;
          A(p.y, q.x) = yx;
          A(q.x, p.y) = yx;
          A(p.y, q.y) = yy;
          A(q.y, p.y) = yy;
        }
      }
      for (uint at = lane; at < half_size * size; at += lanes) {
        uint pair = at / size;
        uint element = at - pair * size;
        uvec2 place = rotation_pair(pair, round, size);
        SCALAR x = V(place.x, element);
        SCALAR y = V(place.y, element);
        V(place.x, element) = cosines[pair] * x - sines[pair] * y;
        V(place.y, element) = sines[pair] * x + cosines[pair] * y;
      }
      round++;
    } while (round < rounds);
    SYNCHRONIZE();
    outside = SCALAR(0);
    for (uint at = lane; at < size * size; at += lanes) {
      uint row = at / size;
      uint column = at - row * size;
      if (row != column) outside += A(row, column) * A(row, column);
    }
    outside = group_sum(outside);
    sweep++;
    // NaN is not above the bound, and ends this.
  } while (sweep < SWEEPS && outside > bound);
  SYNCHRONIZE();

  bool has_converged = outside <= bound;
  for (uint vector = lane; vector < extent; vector += lanes) {
    SCALAR value = A(vector, vector);
    uint rank = 0;
    for (uint other = 0; other < extent; other++) {
      SCALAR there = A(other, other);
      if (there < value || (there == value && other < vector)) rank++;
    }
    SCALAR peak = SCALAR(0);
    for (uint element = 0; element < extent; element++) {
      peak = abs(V(vector, element)) > abs(peak) ? V(vector, element) : peak;
    }
    SCALAR sign = peak < SCALAR(0) ? SCALAR(-1) : SCALAR(1);
    // Without an order of the values each vector keeps its place.
    uint column = has_converged ? rank : vector;
    values[item * n + column] = has_converged ? value * scale : not_a_number();
    for (uint element = 0; element < extent; element++) {
      vectors[(item * n + element) * n + column] = has_converged ? sign * V(vector, element) : not_a_number();
    }
  }
}
