// What the factorizations share: a workgroup per matrix, which lies in shared memory or, with GLOBAL, in buffers.
// WIDE says that SCALAR is double. Kernels that include this ask for GL_KHR_memory_scope_semantics.

#ifdef GLOBAL
// For buffers through which the lanes of a workgroup pass elements to each other.
#define EXCHANGED coherent
#define SYNCHRONIZE() \
  controlBarrier(gl_ScopeWorkgroup, gl_ScopeWorkgroup, gl_StorageSemanticsBuffer | gl_StorageSemanticsShared, \
      gl_SemanticsAcquireRelease)
#else
#define EXCHANGED
#define SYNCHRONIZE() barrier()
#endif

#ifdef WIDE
// Half a unit in the last place of 1, and a norm below which squares lose digits.
const SCALAR ROUNDOFF = 1.1102230246251565e-16LF;
const SCALAR TINY = 1e-140LF;
#else
const SCALAR ROUNDOFF = 5.9604645e-8;
const SCALAR TINY = 1e-15;
#endif

// More sweeps of rotations than any finite matrix takes.
const uint SWEEPS = 40;

shared SCALAR lane_values[gl_WorkGroupSize.x];
shared uint lane_places[gl_WorkGroupSize.x];

SCALAR not_a_number() { return SCALAR(uintBitsToFloat(0x7FC00000u)); }

// Each of the next three functions is called by all lanes and gives all of them the same bits. A barrier has to lie
// between two calls.

// The sum of the lanes' values.
SCALAR group_sum(SCALAR value) {
  lane_values[gl_LocalInvocationID.x] = value;
  SYNCHRONIZE();
  SCALAR sum = SCALAR(0);
  for (uint i = 0; i < gl_WorkGroupSize.x; i++) sum += lane_values[i];
  return sum;
}

// The place of the largest of the lanes' values, the first of equals; `fallback` where all are NaN or negative.
uint group_place_of_largest(SCALAR value, uint place, uint fallback) {
  lane_values[gl_LocalInvocationID.x] = value;
  lane_places[gl_LocalInvocationID.x] = place;
  SYNCHRONIZE();
  SCALAR largest = SCALAR(-1);
  uint first = fallback;
  for (uint i = 0; i < gl_WorkGroupSize.x; i++) {
    SCALAR other = lane_values[i];
    uint there = lane_places[i];
    if (other > largest || (other == largest && there < first)) {
      largest = other;
      first = there;
    }
  }
  return first;
}

// What to divide a matrix by whose largest absolute value is the largest of the lanes': 1 as long as squares of its
// elements and of their roundoff are far from the ends of the range.
SCALAR group_scale(SCALAR value) {
  lane_values[gl_LocalInvocationID.x] = value;
  SYNCHRONIZE();
  SCALAR largest = SCALAR(0);
  for (uint i = 0; i < gl_WorkGroupSize.x; i++) largest = lane_values[i] > largest ? lane_values[i] : largest;
  bool is_far = largest > SCALAR(1e6) || (largest > SCALAR(0) && largest < SCALAR(1e-6));
  return is_far ? largest : SCALAR(1);
}
