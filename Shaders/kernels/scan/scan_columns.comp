// Folds y[o, i, c] = values[o, 0 ... i, c] from FIRST on; with RECURRENCE y[i] = factors[i] * y[i - 1] + values[i].
// Bindings: 0 values [outer, extent, inner]; 1 y, the same, up to FIRST already there; with RECURRENCE 1 factors, 2 y.
// Constants: 0 local size; 1 reversed; 10 see accumulate.glsl. Push: outer * inner, extent, inner, first, steps.
// Grid: ceil(outer * inner / local size) groups, folded.
// Source: the definition, one column per invocation, in order.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "accumulate.glsl"

layout(constant_id = 1) const bool REVERSED = false;

layout(std430, set = 0, binding = 0) readonly buffer Values { SCALAR values[]; };
#ifdef RECURRENCE
layout(std430, set = 0, binding = 1) readonly buffer Factors { SCALAR factors[]; };
layout(std430, set = 0, binding = 2) buffer Sums { SCALAR sums[]; };
#else
layout(std430, set = 0, binding = 1) buffer Sums { SCALAR sums[]; };
#endif

layout(push_constant) uniform Extents {
  uint columns;
  uint extent;
  uint inner;
  uint first;
  uint steps;
};

void main() {
  uint column = invocation_index();
  if (column >= columns) return;
  uint start = column / inner * extent * inner + column % inner;
  SCALAR carried = SCALAR(0);
  if (first > 0) carried = sums[start + (REVERSED ? extent - first : first - 1) * inner];
  for (uint i = first; i < first + steps; i++) {
    uint at = start + (REVERSED ? extent - 1 - i : i) * inner;
#ifdef RECURRENCE
    carried = i == 0 ? values[at] : factors[at] * carried + values[at];
#else
    carried = i == 0 ? values[at] : accumulate(carried, values[at]);
#endif
    sums[at] = carried;
  }
}
