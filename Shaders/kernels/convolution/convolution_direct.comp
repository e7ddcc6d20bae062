// A convolution or one of its gradients, an element per invocation: few channels a group, and the yardstick.
// Bindings: 0 left, 1 right, 2 result [splits, ...]: w, x, y; w, y, x; or y, x, w. Push: see convolution.glsl.
// Constants: 0 local size; 1-12 kernel, stride, dilation, padding. Define FORWARD, INPUT_GRADIENT or WEIGHT_GRADIENT.
// Grid: ceil(splits * result elements / local size) groups, folded.
// Source: the definition.
#version 450
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64, local_size_x_id = 0) in;
#include "grid.glsl"
#include "scalar.glsl"
#include "epilogue.glsl"
#include "convolution.glsl"

void main() {
  uint index = invocation_index();
  if (index >= splits * result_count()) return;
  // Columns are neighbours, then rows, groups and parts.
  uint column_index = index % column_count();
  uint row = index / column_count() % row_count();
  uint group = index / column_count() / row_count() % groups;
  uint split = index / result_count();
  Column column = find_column(group, column_index);
  uint left = left_start(group, row);
  uint last = min(point_count(), (split + 1) * split_extent);
  SCALAR sum = SCALAR(0);
  for (uint point = split * split_extent; point < last; point++) {
    int at = locate(column, find_point(point));
    if (at >= 0) {
      uint left_at = left + point * left_point_step();
      uint right_at = uint(at);
      for (uint plane = 0; plane < plane_count(); plane++) {
        sum = fma(a[left_at], b[right_at], sum);
        left_at += left_plane_step();
        right_at += right_plane_step();
      }
    }
  }
  uint at = split * result_count() + result_start(group, column_index) + row * result_row_step();
  c[at] = epilogue(at, sum);
}
