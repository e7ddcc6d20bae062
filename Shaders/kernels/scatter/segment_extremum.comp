// output[r, :] = the extremum of values[order[j], :] over a window of offsets[r] ..< offsets[r + 1]; FILL if none.
// Bindings: 0 values [n, width]; 1 order, uint32; 2 offsets [rows + 1]; 3 output [rows, width], of what was skipped.
// Constants: 0 local size; 1 bits of the fill; 10 = 2 maximum, 3 minimum. Push: rows, width, n, skipped, most.
// Grid: ceil(rows * width / local size) groups, folded. Define SCALAR.
// Source: the definition; NaN where a value is NaN.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "accumulate.glsl"

layout(constant_id = 1) const uint FILL = 0;

layout(std430, set = 0, binding = 0) readonly buffer Values { SCALAR values[]; };
layout(std430, set = 0, binding = 1) readonly buffer Order { uint order[]; };
layout(std430, set = 0, binding = 2) readonly buffer Offsets { uint offsets[]; };
layout(std430, set = 0, binding = 3) buffer Output { SCALAR extrema[]; };

layout(push_constant) uniform Extents {
  uint rows;
  uint width;
  uint n;
  uint skipped;
  uint most;
};

void main() {
  uint at = invocation_index();
  uint row = at / width;
  if (row >= rows) return;
  uint column = at - row * width;
  uint end = min(offsets[row + 1], n);
  uint first = min(min(offsets[row], end) + skipped, end);
  uint last = min(first + most, end);
  if (skipped > 0 && first == last) return;
#ifdef IS_FLOAT
  SCALAR best = uintBitsToFloat(FILL);
#else
  SCALAR best = SCALAR(FILL);
#endif
  bool isEmpty = skipped == 0;
  if (!isEmpty) best = extrema[at];
  for (uint j = first; j < last; j++) {
    uint source = order[j];
    if (source < n) {
      SCALAR value = values[source * width + column];
      best = isEmpty ? value : accumulate(best, value);
      isEmpty = false;
    }
  }
  extrema[at] = best;
}
