// What the factorizations share: a workgroup per matrix, which lies in shared memory or, with GLOBAL, in buffers.
// WIDE says that SCALAR is double. Kernels that include this ask for GL_KHR_memory_scope_semantics.
//
// Loops with barriers in them run at least once, over nothing in groups left over: what follows a barrier that may be
// passed by, PoCL compiles twice, and the nested loops of these kernels many times.

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

// A norm below which squares lose digits.
#ifdef WIDE
const SCALAR TINY = 1e-140LF;
#else
const SCALAR TINY = 1e-15;
#endif

// Reductions go over rows of 16 lanes first, then over the rows; the local size is a multiple of 16.
const uint ROW = 16;

shared SCALAR lane_values[gl_WorkGroupSize.x];
shared uint lane_places[gl_WorkGroupSize.x];
shared SCALAR row_values[gl_WorkGroupSize.x / ROW];
shared uint row_places[gl_WorkGroupSize.x / ROW];

// Each of the next three functions is called by all lanes and gives all of them the same bits.

// The sum of the lanes' values.
SCALAR group_sum(SCALAR value) {
  uint lane = gl_LocalInvocationID.x;
  lane_values[lane] = value;
  SYNCHRONIZE();
  if (lane < gl_WorkGroupSize.x / ROW) {
    SCALAR part = SCALAR(0);
    for (uint i = lane * ROW; i < lane * ROW + ROW; i++) part += lane_values[i];
    row_values[lane] = part;
  }
  SYNCHRONIZE();
  SCALAR sum = SCALAR(0);
  for (uint i = 0; i < gl_WorkGroupSize.x / ROW; i++) sum += row_values[i];
  return sum;
}

// The place of the largest of the lanes' values, the first of equals; `fallback` where all are NaN or negative.
uint group_place_of_largest(SCALAR value, uint place, uint fallback) {
  uint lane = gl_LocalInvocationID.x;
  lane_values[lane] = value;
  lane_places[lane] = place;
  SYNCHRONIZE();
  SCALAR largest = SCALAR(-1);
  uint first = fallback;
  if (lane < gl_WorkGroupSize.x / ROW) {
    for (uint i = lane * ROW; i < lane * ROW + ROW; i++) {
      if (lane_values[i] > largest || (lane_values[i] == largest && lane_places[i] < first)) {
        largest = lane_values[i];
        first = lane_places[i];
      }
    }
    row_values[lane] = largest;
    row_places[lane] = first;
  }
  SYNCHRONIZE();
  largest = SCALAR(-1);
  first = fallback;
  for (uint i = 0; i < gl_WorkGroupSize.x / ROW; i++) {
    if (row_values[i] > largest || (row_values[i] == largest && row_places[i] < first)) {
      largest = row_values[i];
      first = row_places[i];
    }
  }
  return first;
}

// What to divide a matrix by whose largest absolute value is the largest of the lanes': 1 as long as squares of its
// elements and of their roundoff are far from the ends of the range.
SCALAR group_scale(SCALAR value) {
  uint lane = gl_LocalInvocationID.x;
  lane_values[lane] = value;
  SYNCHRONIZE();
  SCALAR largest = SCALAR(0);
  if (lane < gl_WorkGroupSize.x / ROW) {
    for (uint i = lane * ROW; i < lane * ROW + ROW; i++) largest = lane_values[i] > largest ? lane_values[i] : largest;
    row_values[lane] = largest;
  }
  SYNCHRONIZE();
  largest = SCALAR(0);
  for (uint i = 0; i < gl_WorkGroupSize.x / ROW; i++) largest = row_values[i] > largest ? row_values[i] : largest;
  bool is_far = largest > SCALAR(1e6) || (largest > SCALAR(0) && largest < SCALAR(1e-6));
  return is_far ? largest : SCALAR(1);
}
