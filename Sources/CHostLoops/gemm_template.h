// The kernels of one element type and instruction set, written once and included with
//   REAL    the element type            LANES  elements in a vector       TARGET  the instruction set's attribute
//   ROWS    the most rows of a tile     FOR_EACH_ROW_COUNT(X)  X(1) X(2) ... X(ROWS)
//   NAME(x) the name of x in this set   TRANSPOSE(rows)        transposes LANES vectors in place
// Vectors are the compiler's vector extension, so that the sets differ in these parameters only. A product and
// a sum in one expression become one fused instruction where TARGET has it.

typedef REAL NAME(vector) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL))));
#define VECTOR NAME(vector)
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLLED _Pragma("clang loop unroll(full)")

// MARK: - Packing

TARGET static void NAME(pack_across)(void *packed, const void *elements, long step, long count, long width,
                                     long depth) {
  REAL *out = packed;
  const REAL *in = elements;
  if (depth < LANES) {
    for (long p = 0; p < depth; p++)
      for (long i = 0; i < width; i++) out[p * width + i] = i < count ? in[i * step + p] : 0;
    return;
  }
  // From the last square to the first: a vector that reaches over the end of its row of `packed` writes where
  // the next row begins, which is then written again.
  for (long i = (width - 1) / LANES * LANES; i >= 0; i -= LANES) {
    const long valid = count - i < LANES ? count - i : LANES;
    for (long p = 0; p < depth; p += LANES) {
      // The last square starts early enough to be whole: what it shares with the one before is written twice.
      if (p > depth - LANES) p = depth - LANES;
      VECTOR rows[LANES];
      if (valid == LANES) {
        UNROLLED for (int r = 0; r < LANES; r++) rows[r] = *(const VECTOR *)(in + (i + r) * step + p);
      } else {
        UNROLLED for (int r = 0; r < LANES; r++)
          rows[r] = r < valid ? *(const VECTOR *)(in + (i + r) * step + p) : (VECTOR){0};
      }
      TRANSPOSE(rows)
      UNROLLED for (int r = 0; r < LANES; r++) *(VECTOR *)(out + (p + r) * width + i) = rows[r];
    }
  }
}

TARGET static void NAME(pack_along)(void *packed, const void *elements, long step, long count, long width,
                                    long depth) {
  REAL *out = packed;
  const REAL *in = elements;
  if (count == width && width == 2 * LANES) {
    for (long p = 0; p < depth; p++) {
      *(VECTOR *)(out + p * width) = *(const VECTOR *)(in + p * step);
      *(VECTOR *)(out + p * width + LANES) = *(const VECTOR *)(in + p * step + LANES);
    }
    return;
  }
  for (long p = 0; p < depth; p++) {
    for (long i = 0; i < count; i++) out[p * width + i] = in[p * step + i];
    for (long i = count; i < width; i++) out[p * width + i] = 0;
  }
}

// MARK: - Tiles

// One tile: `rows` x `vectors * LANES` sums that stay in registers while `depth` runs.
INLINE void NAME(tile)(const int rows, const int vectors, long depth, const REAL *left, long left_step,
                       const REAL *right, long right_step, REAL *product, long product_step, long columns,
                       int accumulates) {
  VECTOR sums[ROWS][2];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] = (VECTOR){0};
    __builtin_prefetch(product + r * product_step, 1);
    if (vectors == 2) __builtin_prefetch(product + r * product_step + LANES, 1);
  }
  for (long p = 0; p < depth; p++) {
    VECTOR factors[2];
    UNROLLED for (int v = 0; v < vectors; v++) factors[v] = *(const VECTOR *)(right + v * LANES);
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += left[r] * factors[v];
    left += left_step;
    right += right_step;
  }
  if (columns == vectors * LANES) {
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) {
        VECTOR *target = (VECTOR *)(product + r * product_step + v * LANES);
        *target = accumulates ? *target + sums[r][v] : sums[r][v];
      }
  } else {
    REAL whole[ROWS][2 * LANES];
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) *(VECTOR *)(whole[r] + v * LANES) = sums[r][v];
    for (long r = 0; r < rows; r++)
      for (long j = 0; j < columns; j++) {
        REAL *target = product + r * product_step + j;
        *target = accumulates ? *target + whole[r][j] : whole[r][j];
      }
  }
}

typedef void NAME(tile_function)(long depth, const REAL *left, long left_step, const REAL *right, long right_step,
                                 REAL *product, long product_step, long columns, int accumulates);

#define TILES_OF(rows)                                                                                              \
  TARGET static void NAME(narrow_##rows)(long depth, const REAL *left, long left_step, const REAL *right,           \
                                         long right_step, REAL *product, long product_step, long columns,           \
                                         int accumulates) {                                                         \
    NAME(tile)(rows, 1, depth, left, left_step, right, right_step, product, product_step, columns, accumulates);    \
  }                                                                                                                 \
  TARGET static void NAME(wide_##rows)(long depth, const REAL *left, long left_step, const REAL *right,             \
                                       long right_step, REAL *product, long product_step, long columns,             \
                                       int accumulates) {                                                           \
    NAME(tile)(rows, 2, depth, left, left_step, right, right_step, product, product_step, columns, accumulates);    \
  }
FOR_EACH_ROW_COUNT(TILES_OF)
#undef TILES_OF

#define NARROW(rows) NAME(narrow_##rows),
#define WIDE(rows) NAME(wide_##rows),
static NAME(tile_function) *const NAME(narrow_tiles)[] = {FOR_EACH_ROW_COUNT(NARROW)};
static NAME(tile_function) *const NAME(wide_tiles)[] = {FOR_EACH_ROW_COUNT(WIDE)};
#undef NARROW
#undef WIDE

static void NAME(block)(long rows, long columns, long depth, const struct host_product_factor *left,
                        const struct host_product_factor *right, void *product, long product_step,
                        int accumulates) {
  // Tiles of nearly equal height: 60 rows are five tiles of 12, not four of 14 and one of 4.
  const long tile_count = (rows + ROWS - 1) / ROWS;
  const long height = rows / tile_count, taller = rows % tile_count;
  for (long j = 0; j < columns; j += 2 * LANES) {
    const long rest = columns - j;
    const long width = rest > LANES ? 2 * LANES : LANES;
    NAME(tile_function) *const *tiles = rest > LANES ? NAME(wide_tiles) : NAME(narrow_tiles);
    const REAL *panel = (const REAL *)right->elements + (right->step ? j : j * depth);
    long right_step = right->step ? right->step : width;
    if (right->edge && rest < 2 * LANES) {
      panel = right->edge;
      right_step = width;
    }
    long i = 0;
    for (long t = 0; t < tile_count; t++) {
      const long tile_rows = height + (t < taller);
      const REAL *tile = (const REAL *)left->elements + (left->step ? i : i * depth);
      tiles[tile_rows - 1](depth, tile, left->step ? left->step : tile_rows, panel, right_step,
                           (REAL *)product + i * product_step + j, product_step, rest < width ? rest : width,
                           accumulates);
      i += tile_rows;
    }
  }
}

// MARK: - Matrix by vector

// `rows` dot products at once, each over four vectors of partial sums in a fixed order.
INLINE void NAME(dots)(const int rows, long depth, const REAL *matrix, long step, const REAL *vector,
                       REAL *product) {
  VECTOR sums[4][4];
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int v = 0; v < 4; v++) sums[r][v] = (VECTOR){0};
  long p = 0;
  for (; p + 4 * LANES <= depth; p += 4 * LANES)
    UNROLLED for (int v = 0; v < 4; v++) {
      const VECTOR factor = *(const VECTOR *)(vector + p + v * LANES);
      UNROLLED for (int r = 0; r < rows; r++)
        sums[r][v] += *(const VECTOR *)(matrix + r * step + p + v * LANES) * factor;
    }
  for (; p + LANES <= depth; p += LANES) {
    const VECTOR factor = *(const VECTOR *)(vector + p);
    UNROLLED for (int r = 0; r < rows; r++) sums[r][0] += *(const VECTOR *)(matrix + r * step + p) * factor;
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    const VECTOR folded = (sums[r][0] + sums[r][1]) + (sums[r][2] + sums[r][3]);
    REAL partial[LANES];
    *(VECTOR *)partial = folded;
    for (int width = LANES / 2; width > 0; width /= 2)
      for (int l = 0; l < width; l++) partial[l] += partial[l + width];
    REAL sum = partial[0];
    for (long q = p; q < depth; q++) sum += matrix[r * step + q] * vector[q];
    product[r] = sum;
  }
}

TARGET static void NAME(rows_by_vector)(long rows, long depth, const void *matrix, long step, const void *vector,
                                        void *product) {
  const REAL *row = matrix;
  REAL *out = product;
  long i = 0;
  for (; i + 4 <= rows; i += 4) NAME(dots)(4, depth, row + i * step, step, vector, out + i);
  for (; i < rows; i++) NAME(dots)(1, depth, row + i * step, step, vector, out + i);
}

// `vectors` neighbouring vectors of sums over all of `depth`.
INLINE void NAME(strip)(const int vectors, long depth, const REAL *matrix, long step, const REAL *vector,
                        REAL *product) {
  VECTOR sums[8];
  UNROLLED for (int v = 0; v < vectors; v++) sums[v] = (VECTOR){0};
  for (long p = 0; p < depth; p++)
    UNROLLED for (int v = 0; v < vectors; v++)
      sums[v] += vector[p] * *(const VECTOR *)(matrix + p * step + v * LANES);
  UNROLLED for (int v = 0; v < vectors; v++) *(VECTOR *)(product + v * LANES) = sums[v];
}

TARGET static void NAME(vector_by_columns)(long columns, long depth, const void *matrix, long step,
                                           const void *vector, void *product) {
  const REAL *column = matrix, *factors = vector;
  REAL *out = product;
  long j = 0;
  for (; j + 8 * LANES <= columns; j += 8 * LANES) NAME(strip)(8, depth, column + j, step, factors, out + j);
  for (; j + 2 * LANES <= columns; j += 2 * LANES) NAME(strip)(2, depth, column + j, step, factors, out + j);
  for (; j + LANES <= columns; j += LANES) NAME(strip)(1, depth, column + j, step, factors, out + j);
  if (j < columns) {
    REAL sums[LANES] = {0};
    for (long p = 0; p < depth; p++)
      for (long l = 0; l < columns - j; l++) sums[l] += factors[p] * column[p * step + j + l];
    for (long l = 0; l < columns - j; l++) out[j + l] = sums[l];
  }
}

const struct host_product_kernels NAME(kernels) = {
    .lanes = LANES,
    .tile_rows = ROWS,
    .pack_across = NAME(pack_across),
    .pack_along = NAME(pack_along),
    .block = NAME(block),
    .rows_by_vector = NAME(rows_by_vector),
    .vector_by_columns = NAME(vector_by_columns),
};

#undef VECTOR
#undef INLINE
#undef UNROLLED
#undef REAL
#undef LANES
#undef NAME
#undef TRANSPOSE
