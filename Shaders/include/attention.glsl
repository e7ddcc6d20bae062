// What the attention kernels share: inputs, extents, masks, and a block of four scores by four.
// Push: batches, heads, groups, queries S, keys T, depth D / 4, width E / 4, scale (a float's bits).
// Constant 1 by bit: 0 a mask; 1...4 it varies with batch, head, query, key; 5 lengths; 6 causal; 7...10 Q, K, V, O are
// interleaved, [batches, S, heads, D], and their gradients.
// Define COLUMNS (4, 8 or 16): how many vectors of four columns an invocation keeps the sums of, for four rows.

layout(constant_id = 1) const uint FLAGS = 0;

layout(std430, set = 0, binding = 0) readonly buffer Queries { vec4 q[]; };
layout(std430, set = 0, binding = 1) readonly buffer Keys { vec4 k[]; };
layout(std430, set = 0, binding = 2) readonly buffer Values { vec4 v[]; };
layout(std430, set = 0, binding = 3) readonly buffer Mask { float mask[]; };
layout(std430, set = 0, binding = 4) readonly buffer Lengths { int lengths[]; };

layout(push_constant) uniform Extents {
  uint batches;
  uint heads;
  uint groups;
  uint queries;
  uint keys;
  uint depth;
  uint width;
  uint scale_bits;
};

// A score that is not to count, and what is at or below it.
const float LOWEST = -1.7e38;
const float FORBIDDEN = -1e30;

// The stream of keys that a stream of queries reads.
uint group_of(uint stream) {
  return stream / heads * groups + stream % heads / (heads / groups);
}

// The rows in memory of four positions of a stream, of `streams` to a batch with `count` positions each.
uvec4 rows_of(uvec4 positions, uint stream, uint streams, uint count, uint interleaved) {
  return (FLAGS & interleaved) != 0u
    ? (stream / streams * count + positions) * streams + stream % streams
    : stream * count + positions;
}

uvec4 query_rows(uint stream, uvec4 positions) { return rows_of(positions, stream, heads, queries, 128u); }
uvec4 key_rows(uint group, uvec4 positions) { return rows_of(positions, group, groups, keys, 256u); }
uvec4 value_rows(uint group, uvec4 positions) { return rows_of(positions, group, groups, keys, 512u); }
uvec4 result_rows(uint stream, uvec4 positions) { return rows_of(positions, stream, heads, queries, 1024u); }

// How many keys, from the first, the queries up to `last` of a stream may read at most.
uint key_limit(uint stream, uint last) {
  uint limit = keys;
  if ((FLAGS & 32u) != 0u) limit = min(limit, uint(max(lengths[stream / heads], 0)));
  if ((FLAGS & 64u) != 0u) limit = min(limit, last + 1);
  return limit;
}

// The score of one query with one key from their product; LOWEST where the query must not look.
float masked(float product, uint stream, uint query, uint key, uint limit) {
  float score = product * uintBitsToFloat(scale_bits);
  if ((FLAGS & 1u) != 0u) {
    uint at = (FLAGS & 2u) != 0u ? stream / heads : 0u;
    if ((FLAGS & 4u) != 0u) at = at * heads + stream % heads;
    if ((FLAGS & 8u) != 0u) at = at * queries + query;
    if ((FLAGS & 16u) != 0u) at = at * keys + min(key, keys - 1);
    score += mask[at];
  }
  if (key >= limit || ((FLAGS & 64u) != 0u && key > query)) return LOWEST;
  return score <= FORBIDDEN ? LOWEST : score;
}

// The same for one query and four keys, the first of which is `key`.
vec4 masked_keys(vec4 products, uint stream, uint query, uint key, uint limit) {
  return vec4(
    masked(products.x, stream, query, key, limit), masked(products.y, stream, query, key + 1, limit),
    masked(products.z, stream, query, key + 2, limit), masked(products.w, stream, query, key + 3, limit));
}

// exp(score - level), 0 for scores that do not count.
vec4 weights(vec4 scores, float level) {
  vec4 results = exp(scores - level);
  return mix(results, vec4(0), lessThanEqual(scores, vec4(FORBIDDEN)));
}

float sum_of(vec4 a) { return (a.x + a.y) + (a.z + a.w); }
float largest_of(vec4 a) { return max(max(a.x, a.y), max(a.z, a.w)); }

// name0 ... name3: the products of the rows of `left` that start at the vectors `ls` with those of `right` at `rs`.
#define PRODUCTS(name, left, ls, right, rs, count) \
  vec4 name##0 = vec4(0), name##1 = vec4(0), name##2 = vec4(0), name##3 = vec4(0); \
  for (uint i = 0; i < count; i++) { \
    vec4 a0 = left[ls.x + i], a1 = left[ls.y + i], a2 = left[ls.z + i], a3 = left[ls.w + i]; \
    vec4 b0 = right[rs.x + i], b1 = right[rs.y + i], b2 = right[rs.z + i], b3 = right[rs.w + i]; \
    name##0 += vec4(dot(a0, b0), dot(a0, b1), dot(a0, b2), dot(a0, b3)); \
    name##1 += vec4(dot(a1, b0), dot(a1, b1), dot(a1, b2), dot(a1, b3)); \
    name##2 += vec4(dot(a2, b0), dot(a2, b1), dot(a2, b2), dot(a2, b3)); \
    name##3 += vec4(dot(a3, b0), dot(a3, b1), dot(a3, b2), dot(a3, b3)); \
  }

// X for every column, with constant indices, so that sums stay in registers.
#define EACH_4(X) X(0) X(1) X(2) X(3)
#define EACH_8(X) EACH_4(X) X(4) X(5) X(6) X(7)
#define EACH_16(X) EACH_8(X) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#if COLUMNS == 4
#define EACH_COLUMN(X) EACH_4(X)
#elif COLUMNS == 8
#define EACH_COLUMN(X) EACH_8(X)
#else
#define EACH_COLUMN(X) EACH_16(X)
#endif
