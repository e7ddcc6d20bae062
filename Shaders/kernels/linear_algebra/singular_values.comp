// A = U diag(s) V^T with k = min(m, n): s descending, U's columns with a positive largest element; NaN if not finite.
// Bindings: 0 A [batches, m, n]; 1 s [batches, k]; 2 V^T [batches, k, n]; 3 U [batches, m, k]. Push: batches, m, n.
// Constants: 0 local size; 1 capacity >= size * (length + k), see below; 2 values >= k. GLOBAL: 1 is unused.
// Grid: batches groups, folded.
// Source: one-sided Jacobi rotations, Golub and Van Loan 2013, section 8.6.3, in parallel order.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "factorization.glsl"
#include "jacobi.glsl"

layout(constant_id = 1) const uint CAPACITY = 2048;
layout(constant_id = 2) const uint VALUES = 32;

layout(std430, set = 0, binding = 0) readonly buffer Matrix { SCALAR matrix[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Values { SCALAR values[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Right { SCALAR right[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Left { SCALAR left[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint m;
  uint n;
};

// The k columns of length max(m, n) of the matrix or of its transpose, which become orthogonal, and the product of
// the rotations so far, k vectors of k; each one after the other. Size is k made even, by a vector of zeros.
#ifdef GLOBAL
// [batches, size, length] and [batches, size, k].
layout(std430, set = 0, binding = 4) EXCHANGED buffer Long { SCALAR long_vectors[]; };
layout(std430, set = 0, binding = 5) EXCHANGED buffer Short { SCALAR short_vectors[]; };
#define LONG(vector, element) long_vectors[item * size * length + (vector) * length + (element)]
#define SHORT(vector, element) short_vectors[item * size * count + (vector) * count + (element)]
#else
shared SCALAR vectors[CAPACITY];
#define LONG(vector, element) vectors[(vector) * length + (element)]
#define SHORT(vector, element) vectors[size * length + (vector) * count + (element)]
#endif

// What the lanes add up for their pair: both squares and the product.
shared SCALAR sums_x[gl_WorkGroupSize.x];
shared SCALAR sums_y[gl_WorkGroupSize.x];
shared SCALAR sums_xy[gl_WorkGroupSize.x];
shared SCALAR norms[VALUES];
shared SCALAR products[VALUES];

void main() {
  uint lane = gl_LocalInvocationID.x;
  uint lanes = gl_WorkGroupSize.x;
  uint item = group_index();
  bool is_tall = m >= n;
  // Groups left over have matrices of no columns.
  uint count = item < batches ? min(m, n) : 0;
  uint length = item < batches ? max(m, n) : 0;
  uint size = count + (count & 1);
  uint half_size = size / 2;
  uint rounds = max(size, 1) - 1;

  SCALAR largest = SCALAR(0);
  for (uint at = lane; at < count * length; at += lanes) {
    SCALAR magnitude = abs(matrix[item * m * n + at]);
    largest = magnitude > largest ? magnitude : largest;
  }
  SCALAR scale = group_scale(largest);
  SCALAR square = SCALAR(0);
  for (uint at = lane; at < size * length; at += lanes) {
    // Neighbours in memory by neighbours, whichever way the matrix lies.
    uint vector = is_tall ? at % size : at / length;
    uint element = is_tall ? at / size : at % length;
    SCALAR number = SCALAR(0);
    if (vector < count) number = matrix[item * m * n + (is_tall ? element * n + vector : vector * n + element)] / scale;
    LONG(vector, element) = number;
    square += number * number;
  }
  for (uint at = lane; at < size * count; at += lanes) {
    SHORT(at / count, at % count) = at / count == at % count ? SCALAR(1) : SCALAR(0);
  }
  SYNCHRONIZE();
  // The square of a norm that rounding alone may leave of a vector; those below are not turned any more.
  SCALAR negligible = SCALAR(16) * ROUNDOFF * ROUNDOFF * group_sum(square);
  // What rounding leaves of the squared cosine between two vectors.
  SCALAR bound = SCALAR(16) * SCALAR(length) * ROUNDOFF * ROUNDOFF;

  // The sum of the squared cosines that were above the bound. NaN is not above 0, and ends this.
  SCALAR excess = SCALAR(1);
  uint sweep = 0;
  do {
    SCALAR own_excess = SCALAR(0);
    uint round = 0;
    do {
      SYNCHRONIZE();
      uint first = 0;
      do {
        // Each pair is shared by `parts` lanes, which lie behind each other.
        uint pairs = first < half_size ? min(lanes, half_size - first) : 1;
        uint parts = lanes / pairs;
        uint pair = first + lane / parts;
        uint part = lane % parts;
        bool takes_part = pair < half_size && lane < pairs * parts;
        uvec2 place = rotation_pair(takes_part ? pair : first, round, size);
        SCALAR own_x = SCALAR(0);
        SCALAR own_y = SCALAR(0);
        SCALAR own_xy = SCALAR(0);
        if (takes_part) {
          for (uint element = part; element < length; element += parts) {
            SCALAR x = LONG(place.x, element);
            SCALAR y = LONG(place.y, element);
            own_x += x * x;
            own_y += y * y;
            own_xy += x * y;
          }
        }
        sums_x[lane] = own_x;
        sums_y[lane] = own_y;
        sums_xy[lane] = own_xy;
        SYNCHRONIZE();
        if (takes_part) {
          SCALAR xx = SCALAR(0);
          SCALAR yy = SCALAR(0);
          SCALAR xy = SCALAR(0);
          for (uint i = lane - part; i < lane - part + parts; i++) {
            xx += sums_x[i];
            yy += sums_y[i];
            xy += sums_xy[i];
          }
          bool is_negligible = xx <= negligible || yy <= negligible;
          SCALAR cosine_squared = is_negligible ? SCALAR(0) : (xy / xx) * (xy / yy);
          if (part == 0) own_excess += cosine_squared <= bound ? SCALAR(0) : cosine_squared;
          if (cosine_squared > bound) {
            SCALAR cotangent = (yy - xx) / (SCALAR(2) * xy);
            SCALAR tangent = SCALAR(1) / (abs(cotangent) + sqrt(cotangent * cotangent + SCALAR(1)));
            tangent = cotangent < SCALAR(0) ? -tangent : tangent;
            SCALAR c = SCALAR(1) / sqrt(tangent * tangent + SCALAR(1));
            SCALAR s = c * tangent;
            for (uint element = part; element < length; element += parts) {
              SCALAR x = LONG(place.x, element);
              SCALAR y = LONG(place.y, element);
              LONG(place.x, element) = c * x - s * y;
              LONG(place.y, element) = s * x + c * y;
            }
            for (uint element = part; element < count; element += parts) {
              SCALAR x = SHORT(place.x, element);
              SCALAR y = SHORT(place.y, element);
              SHORT(place.x, element) = c * x - s * y;
              SHORT(place.y, element) = s * x + c * y;
            }
          }
        }
        SYNCHRONIZE();
        first += lanes;
      } while (first < half_size);
      round++;
    } while (round < rounds);
    excess = group_sum(own_excess);
    sweep++;
  } while (sweep < SWEEPS && excess > SCALAR(0));
  bool has_converged = excess == SCALAR(0);
  uint found = has_converged ? count : 0;

  SCALAR least = sqrt(negligible);
  for (uint vector = lane; vector < found; vector += lanes) {
    SCALAR sum = SCALAR(0);
    for (uint element = 0; element < length; element++) sum += LONG(vector, element) * LONG(vector, element);
    norms[vector] = sqrt(sum);
  }
  SYNCHRONIZE();
  for (uint at = lane; at < found * length; at += lanes) {
    uint vector = at / length;
    if (norms[vector] > least) LONG(vector, at - vector * length) /= norms[vector];
  }
  SYNCHRONIZE();
  // A vector of which only rounding is left gives way to one that is orthogonal to all others: the axis that is
  // furthest from their space, less its projection, twice for the sake of rounding.
  uint vector = 0;
  do {
    // The next such vector; behind the last one there is nothing to do but to meet the barriers.
    while (vector < found && norms[vector] > least) vector++;
    uint extent = vector < found ? length : 0;
    SCALAR distance = SCALAR(-1);
    uint axis = 0;
    for (uint element = lane; element < extent; element += lanes) {
      SCALAR rest = SCALAR(1);
      for (uint other = 0; other < found; other++) {
        if (other < vector || norms[other] > least) rest -= LONG(other, element) * LONG(other, element);
      }
      if (rest > distance) {
        distance = rest;
        axis = element;
      }
    }
    axis = group_place_of_largest(distance, axis, 0);
    for (uint element = lane; element < extent; element += lanes) {
      LONG(vector, element) = element == axis ? SCALAR(1) : SCALAR(0);
    }
    uint pass = 0;
    do {
      SYNCHRONIZE();
      for (uint other = lane; other < found; other += lanes) {
        SCALAR product = SCALAR(0);
        if (other < vector || norms[other] > least) {
          for (uint element = 0; element < extent; element++) product += LONG(other, element) * LONG(vector, element);
        }
        products[other] = product;
      }
      SYNCHRONIZE();
      for (uint element = lane; element < extent; element += lanes) {
        SCALAR rest = LONG(vector, element);
        for (uint other = 0; other < found; other++) {
          if (other < vector || norms[other] > least) rest -= products[other] * LONG(other, element);
        }
        LONG(vector, element) = rest;
      }
      pass++;
    } while (pass < 2);
    SCALAR own = SCALAR(0);
    for (uint element = lane; element < extent; element += lanes) own += LONG(vector, element) * LONG(vector, element);
    SCALAR norm = sqrt(group_sum(own));
    for (uint element = lane; element < extent; element += lanes) LONG(vector, element) /= norm;
    SYNCHRONIZE();
    vector++;
  } while (vector < found);

  for (vector = lane; vector < count; vector += lanes) {
    SCALAR value = has_converged ? norms[vector] : not_a_number();
    // Without an order of the values each vector keeps its place.
    uint rank = has_converged ? 0 : vector;
    for (uint other = 0; other < found; other++) {
      if (norms[other] > value || (norms[other] == value && other < vector)) rank++;
    }
    SCALAR peak = SCALAR(0);
    for (uint element = 0; element < m; element++) {
      SCALAR number = is_tall ? LONG(vector, element) : SHORT(vector, element);
      peak = abs(number) > abs(peak) ? number : peak;
    }
    SCALAR factor = has_converged ? (peak < SCALAR(0) ? SCALAR(-1) : SCALAR(1)) : not_a_number();
    values[item * count + rank] = value * scale;
    for (uint element = 0; element < m; element++) {
      SCALAR number = is_tall ? LONG(vector, element) : SHORT(vector, element);
      left[(item * m + element) * count + rank] = factor * number;
    }
    for (uint element = 0; element < n; element++) {
      SCALAR number = is_tall ? SHORT(vector, element) : LONG(vector, element);
      right[(item * count + rank) * n + element] = factor * number;
    }
  }
}
