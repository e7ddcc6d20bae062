// The kernels of convolutions of one element type and instruction set, included by gemm_template.h with its names.
//   BROAD_ROWS   the most rows of a tile four vectors wide    FOR_EACH_BROAD_ROW_COUNT(X)  X(1) X(2) ... X(BROAD_ROWS)
//   DOT_COLUMNS  the columns of a tile of dot products, a multiple of 3; such a tile has 4 rows at most

// MARK: - Copies

TARGET static void NAME(pack_runs)(void *packed, long packed_step, const void *elements, long step, long spacing,
                                   long depth, const HostProductRun *runs, long run_count) {
  for (long p = 0; p < depth; p++) {
    REAL *out_row = (REAL *)packed + p * packed_step;
    const REAL *in_row = (const REAL *)elements + p * step;
    for (long r = 0; r < run_count; r++) {
      REAL *out = out_row + runs[r].place;
      const long count = runs[r].count;
      if (runs[r].source < 0) {
        for (long i = 0; i < count; i += LANES) NAME(store)(out + i, (VECTOR){0}, count - i);
      } else if (spacing == 1) {
        const REAL *in = in_row + runs[r].source;
        for (long i = 0; i < count; i += LANES) NAME(store)(out + i, NAME(load)(in + i, count - i), count - i);
      } else {
        const REAL *in = in_row + runs[r].source;
        for (long i = 0; i < count; i++) out[i] = in[i * spacing];
      }
    }
  }
}

TARGET static void NAME(unpack_runs)(void *elements, long step, long spacing, const void *packed, long packed_step,
                                     long depth, const HostProductRun *runs, long run_count) {
  for (long p = 0; p < depth; p++) {
    REAL *out_row = (REAL *)elements + p * step;
    const REAL *in_row = (const REAL *)packed + p * packed_step;
    for (long r = 0; r < run_count; r++) {
      const REAL *in = in_row + runs[r].place;
      REAL *out = out_row + runs[r].source;
      const long count = runs[r].count;
      if (spacing == 1) {
        for (long i = 0; i < count; i += LANES) NAME(store)(out + i, NAME(load)(in + i, count - i), count - i);
      } else {
        for (long i = 0; i < count; i++) out[i * spacing] = in[i];
      }
    }
  }
}

// MARK: - Weights by windows

// One tile: `rows` x `vectors * LANES` sums that stay in registers while the depth runs over windows.
INLINE void NAME(window_tile)(const int rows, const int vectors, long depth, const REAL *left,
                              const REAL *windows, const int32_t *offsets, REAL *product, long product_step,
                              int accumulates) {
  VECTOR sums[ROWS][4];
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] = (VECTOR){0};
  for (long p = 0; p < depth; p++) {
    const REAL *window = windows + offsets[p];
    VECTOR factors[4];
    UNROLLED for (int v = 0; v < vectors; v++) factors[v] = *(const VECTOR *)(window + v * LANES);
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += left[r] * factors[v];
    left += rows;
  }
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int v = 0; v < vectors; v++) {
      VECTOR *target = (VECTOR *)(product + r * product_step + v * LANES);
      *target = accumulates ? *target + sums[r][v] : sums[r][v];
    }
}

typedef void NAME(window_tile_function)(long depth, const REAL *left, const REAL *windows, const int32_t *offsets,
                                        REAL *product, long product_step, int accumulates);

#define WINDOW_TILE(name, rows, vectors)                                                                       \
  TARGET static void NAME(name##rows)(long depth, const REAL *left, const REAL *windows,                       \
                                      const int32_t *offsets, REAL *product, long product_step,                \
                                      int accumulates) {                                                       \
    NAME(window_tile)(rows, vectors, depth, left, windows, offsets, product, product_step, accumulates);       \
  }
#define WINDOW_TILES_OF(rows)        \
  WINDOW_TILE(window_one_, rows, 1) \
  WINDOW_TILE(window_two_, rows, 2)
#define BROAD_WINDOW_TILE_OF(rows) WINDOW_TILE(window_four_, rows, 4)
FOR_EACH_ROW_COUNT(WINDOW_TILES_OF)
FOR_EACH_BROAD_ROW_COUNT(BROAD_WINDOW_TILE_OF)
#undef WINDOW_TILE
#undef WINDOW_TILES_OF
#undef BROAD_WINDOW_TILE_OF

#define ONE(rows) NAME(window_one_##rows),
#define TWO(rows) NAME(window_two_##rows),
#define FOUR(rows) NAME(window_four_##rows),
static NAME(window_tile_function) *const NAME(window_one)[] = {FOR_EACH_ROW_COUNT(ONE)};
static NAME(window_tile_function) *const NAME(window_two)[] = {FOR_EACH_ROW_COUNT(TWO)};
static NAME(window_tile_function) *const NAME(window_four)[] = {FOR_EACH_BROAD_ROW_COUNT(FOUR)};
#undef ONE
#undef TWO
#undef FOUR

static void NAME(window_block)(long rows, long columns, long depth, const void *left, const void *windows,
                               const int32_t *offsets, void *product, long product_step, int accumulates) {
  const long tile_count = (rows + ROWS - 1) / ROWS;
  const long height = rows / tile_count, taller = rows % tile_count;
  long width;
  for (long j = 0; j < columns; j += width) {
    const long vectors = (columns - j) / LANES;
    const int is_broad = vectors >= 4 && height + (taller > 0) <= BROAD_ROWS;
    width = (is_broad ? 4 : vectors >= 2 ? 2 : 1) * LANES;
    NAME(window_tile_function) *const *tiles =
        is_broad ? NAME(window_four) : vectors >= 2 ? NAME(window_two) : NAME(window_one);
    long i = 0;
    for (long t = 0; t < tile_count; t++) {
      const long tile_rows = height + (t < taller);
      tiles[tile_rows - 1](depth, (const REAL *)left + i * depth, (const REAL *)windows + j, offsets,
                           (REAL *)product + i * product_step + j, product_step, accumulates);
      i += tile_rows;
    }
  }
}

// MARK: - Outputs by windows

typedef __typeof__((VECTOR){0} == (VECTOR){0}) NAME(mask);

// One tile of dot products: each sum is a vector until the end, whose elements are then added in a fixed order.
INLINE void NAME(window_dot_tile)(const int rows, const int columns, const int is_masked, const HostWindowDots *dots,
                                  const REAL *outputs, const int32_t *offsets, REAL *sums, long sums_step) {
  VECTOR totals[4][DOT_COLUMNS];
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int c = 0; c < columns; c++) totals[r][c] = (VECTOR){0};
  for (long item = 0; item < dots->item_count; item++)
    for (long run = 0; run < dots->run_count; run++) {
      const REAL *out = outputs + item * dots->output_item_step + dots->runs[run].column;
      const REAL *window = (const REAL *)dots->windows + item * dots->window_item_step + dots->runs[run].place;
      const NAME(mask) *mask = (const void *)((const REAL *)dots->mask + dots->runs[run].column);
      const REAL *starts[DOT_COLUMNS];
      UNROLLED for (int c = 0; c < columns; c++) starts[c] = window + offsets[c];
      const long count = dots->runs[run].count;
      for (long i = 0; i < count; i += LANES) {
        VECTOR factors[DOT_COLUMNS];
        UNROLLED for (int c = 0; c < columns; c++) {
          factors[c] = *(const VECTOR *)(starts[c] + i);
          if (is_masked) factors[c] = (VECTOR)((NAME(mask))factors[c] & mask[i / LANES]);
        }
        UNROLLED for (int r = 0; r < rows; r++) {
          const VECTOR output = *(const VECTOR *)(out + r * dots->output_step + i);
          UNROLLED for (int c = 0; c < columns; c++) totals[r][c] += output * factors[c];
        }
      }
    }
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int c = 0; c < columns; c++) {
      REAL partial[LANES];
      *(VECTOR *)partial = totals[r][c];
      UNROLLED for (int width = LANES / 2; width > 0; width /= 2)
        UNROLLED for (int l = 0; l < width; l++) partial[l] += partial[l + width];
      sums[r * sums_step + c] += partial[0];
    }
}

typedef void NAME(window_dot_function)(const HostWindowDots *dots, const REAL *outputs, const int32_t *offsets,
                                       REAL *sums, long sums_step);

#define WINDOW_DOTS(name, rows, columns, is_masked)                                                             \
  TARGET static void NAME(name##rows)(const HostWindowDots *dots, const REAL *outputs, const int32_t *offsets, \
                                      REAL *sums, long sums_step) {                                            \
    NAME(window_dot_tile)(rows, columns, is_masked, dots, outputs, offsets, sums, sums_step);                  \
  }
#define WINDOW_DOTS_OF(rows)                              \
  WINDOW_DOTS(dots_one_, rows, 1, 0)                      \
  WINDOW_DOTS(dots_three_, rows, 3, 0)                    \
  WINDOW_DOTS(dots_all_, rows, DOT_COLUMNS, 0)            \
  WINDOW_DOTS(masked_dots_one_, rows, 1, 1)               \
  WINDOW_DOTS(masked_dots_three_, rows, 3, 1)             \
  WINDOW_DOTS(masked_dots_all_, rows, DOT_COLUMNS, 1)
WINDOW_DOTS_OF(1)
WINDOW_DOTS_OF(2)
WINDOW_DOTS_OF(3)
WINDOW_DOTS_OF(4)
#undef WINDOW_DOTS
#undef WINDOW_DOTS_OF

#define DOTS(name) {NAME(name##1), NAME(name##2), NAME(name##3), NAME(name##4)}
static NAME(window_dot_function) *const NAME(window_dot_tiles)[2][3][4] = {
    {DOTS(dots_one_), DOTS(dots_three_), DOTS(dots_all_)},
    {DOTS(masked_dots_one_), DOTS(masked_dots_three_), DOTS(masked_dots_all_)},
};
#undef DOTS

static void NAME(window_dots)(long rows, long depth, const HostWindowDots *dots, const int32_t *offsets, void *sums,
                              long sums_step) {
  const long tile_count = (rows + 3) / 4;
  const long height = rows / tile_count, taller = rows % tile_count;
  long i = 0;
  // Rows outside, so that four of them stay in the first cache while all windows pass: the windows of neighbouring
  // taps share their lines.
  for (long t = 0; t < tile_count; t++) {
    const long tile_rows = height + (t < taller);
    for (long p = 0; p < depth;) {
      const long rest = depth - p;
      const int kind = rest >= DOT_COLUMNS ? 2 : rest >= 3 ? 1 : 0;
      NAME(window_dot_tiles)[dots->mask != 0][kind][tile_rows - 1](
          dots, (const REAL *)dots->outputs + i * dots->output_step, offsets + p,
          (REAL *)sums + i * sums_step + p, sums_step);
      p += kind == 2 ? DOT_COLUMNS : kind == 1 ? 3 : 1;
    }
    i += tile_rows;
  }
}
