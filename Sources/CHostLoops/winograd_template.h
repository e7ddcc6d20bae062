// The transforms of Winograd's convolution by windows of 3 x 3, of one element type and instruction set: tiles of 2 x 2
// outputs from 4 x 4 inputs. Included by gemm_template.h with its names, and
//   EVENS ODDS   the lanes of two vectors in even and odd places    LOWS HIGHS  the lanes of two vectors by turns, the
//                                                                               lower and the upper half of all
//
// Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1.

// The 16 products of tiles are numbered row by row.

TARGET static void NAME(winograd_weights)(void *packed, long step, const void *weights, long row_step, long column_step,
                                          int is_flipped, long rows, long columns) {
  for (long c = 0; c < columns; c++)
    for (long r = 0; r < rows; r++) {
      const REAL *taps = (const REAL *)weights + r * row_step + c * column_step;
      REAL halves[4][3];
      for (int x = 0; x < 3; x++) {
        const REAL first = taps[is_flipped ? 8 - x : x], middle = taps[is_flipped ? 5 - x : 3 + x],
                   last = taps[is_flipped ? 2 - x : 6 + x];
        halves[0][x] = first;
        halves[1][x] = (first + last + middle) / 2;
        halves[2][x] = (first + last - middle) / 2;
        halves[3][x] = last;
      }
      REAL *out = (REAL *)packed + c * rows + r;
      for (int y = 0; y < 4; y++) {
        const REAL *half = halves[y];
        out[(4 * y + 0) * step] = half[0];
        out[(4 * y + 1) * step] = (half[0] + half[2] + half[1]) / 2;
        out[(4 * y + 2) * step] = (half[0] + half[2] - half[1]) / 2;
        out[(4 * y + 3) * step] = half[2];
      }
    }
}

TARGET static void NAME(winograd_windows)(void *windows, long step, const void *region, long region_step,
                                          long tile_rows, long tile_columns) {
  for (long y = 0; y < tile_rows; y++)
    for (long x = 0; x < tile_columns; x += LANES) {
      const REAL *in = (const REAL *)region + 2 * y * region_step + 2 * x;
      VECTOR columns[4][4];
      UNROLLED for (int r = 0; r < 4; r++) {
        const VECTOR a = *(const VECTOR *)(in + r * region_step), b = *(const VECTOR *)(in + r * region_step + LANES);
        const VECTOR c = *(const VECTOR *)(in + r * region_step + 2),
                     d = *(const VECTOR *)(in + r * region_step + 2 + LANES);
        const VECTOR d0 = __builtin_shufflevector(a, b, EVENS), d1 = __builtin_shufflevector(a, b, ODDS);
        const VECTOR d2 = __builtin_shufflevector(c, d, EVENS), d3 = __builtin_shufflevector(c, d, ODDS);
        columns[r][0] = d0 - d2;
        columns[r][1] = d1 + d2;
        columns[r][2] = d2 - d1;
        columns[r][3] = d1 - d3;
      }
      REAL *out = (REAL *)windows + y * tile_columns + x;
      UNROLLED for (int c = 0; c < 4; c++) {
        *(VECTOR *)(out + c * step) = columns[0][c] - columns[2][c];
        *(VECTOR *)(out + (4 + c) * step) = columns[1][c] + columns[2][c];
        *(VECTOR *)(out + (8 + c) * step) = columns[2][c] - columns[1][c];
        *(VECTOR *)(out + (12 + c) * step) = columns[1][c] - columns[3][c];
      }
    }
}

TARGET static int NAME(winograd_outputs)(void *outputs, long output_step, long output_rows, long output_columns,
                                         const void *products, long step) {
  const long tile_columns = (output_columns + 1) / 2;
  // Stays 0 while all outputs are finite.
  VECTOR check = {0};
  for (long y = 0; y < output_rows; y += 2)
    for (long x = 0; x < output_columns; x += 2 * LANES) {
      const REAL *in = (const REAL *)products + y / 2 * tile_columns + x / 2;
      VECTOR rows[2][4];
      UNROLLED for (int c = 0; c < 4; c++) {
        const VECTOR m0 = *(const VECTOR *)(in + c * step), m1 = *(const VECTOR *)(in + (4 + c) * step),
                     m2 = *(const VECTOR *)(in + (8 + c) * step), m3 = *(const VECTOR *)(in + (12 + c) * step);
        rows[0][c] = m0 + m1 + m2;
        rows[1][c] = m1 - m2 - m3;
      }
      const long count = output_columns - x;
      UNROLLED for (int r = 0; r < 2; r++) {
        if (y + r == output_rows) break;
        const VECTOR even = rows[r][0] + rows[r][1] + rows[r][2], odd = rows[r][1] - rows[r][2] - rows[r][3];
        REAL *out = (REAL *)outputs + (y + r) * output_step + x;
        NAME(store)(out, __builtin_shufflevector(even, odd, LOWS), count);
        if (count > LANES) NAME(store)(out + LANES, __builtin_shufflevector(even, odd, HIGHS), count - LANES);
        check += NAME(load)(out, count) * 0;
        if (count > LANES) check += NAME(load)(out + LANES, count - LANES) * 0;
      }
    }
  int is_finite = 1;
  UNROLLED for (int l = 0; l < LANES; l++) is_finite &= check[l] == 0;
  return is_finite;
}
