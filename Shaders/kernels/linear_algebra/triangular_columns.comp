// X with op(T) X = B, one invocation per right side: for any extent.
// Bindings: 0 T [batches, n, n]; 1 B [batches, n, columns]; 2 X, as B. Push: batches, n, columns.
// Constants: 0 local size; 1 T is lower triangular; 2 op transposes; 3 the diagonal counts as ones.
// Grid: ceil(batches * columns / local size) groups, folded.
// Source: substitution, Golub and Van Loan 2013, section 3.1.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "triangular.glsl"

void main() {
  uint at = invocation_index();
  uint item = at / columns;
  if (item >= batches) return;
  uint side = item * n * columns + (at - item * columns);
  uint start = item * n * n;
  for (uint step = 0; step < n; step++) {
    uint row = FORWARD ? step : n - 1 - step;
    SCALAR rest = sides[side + row * columns];
    for (uint done = 0; done < step; done++) {
      uint other = FORWARD ? done : n - 1 - done;
      rest -= matrix[start + (TRANSPOSED ? other * n + row : row * n + other)] * solution[side + other * columns];
    }
    solution[side + row * columns] = UNIT_DIAGONAL ? rest : rest / matrix[start + row * n + row];
  }
}
