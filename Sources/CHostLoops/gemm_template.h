// The kernels of one element type and instruction set, written once and included with
//   REAL    the element type            LANES  elements in a vector       TARGET  the instruction set's attribute
//   ROWS    the most rows of a tile     FOR_EACH_ROW_COUNT(X)  X(1) X(2) ... X(ROWS)
//   NAME(x) the name of x in this set   TRANSPOSE(rows)        transposes LANES vectors in place
//   EVENS ODDS LOWS HIGHS               lists of lanes, see winograd_template.h
//   LOAD_PART(from, count), STORE_PART(to, vector, count)      the first 0 <= count < LANES elements of a vector,
//                                                              the others read as 0 and are not written
// Vectors are the compiler's vector extension, so that the sets differ in these parameters only. A product and
// a sum in one expression become one fused instruction where TARGET has it.

typedef REAL NAME(vector) __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL))));
#define VECTOR NAME(vector)
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLLED _Pragma("clang loop unroll(full)")

// MARK: - Packing

INLINE VECTOR NAME(load)(const REAL *from, long count) {
  return count >= LANES ? *(const VECTOR *)from : LOAD_PART(from, count);
}

INLINE void NAME(store)(REAL *to, VECTOR vector, long count) {
  if (count >= LANES)
    *(VECTOR *)to = vector;
  else
    STORE_PART(to, vector, count);
}

// A vector that reaches over the end of its row of `packed` writes where the next row begins: rows are written
// in order, so that the next one is written afterwards.

TARGET static void NAME(pack_across)(void *packed, const void *elements, long step, long count, long width,
                                     long depth) {
  REAL *out = packed;
  const REAL *in = elements;
  const long square = depth < LANES ? depth : LANES;
  for (long i = (width - 1) / LANES * LANES; i >= 0; i -= LANES) {
    const long valid = count - i < LANES ? count - i : LANES;
    for (long p = 0; p < depth; p += LANES) {
      // The last square starts early enough to be whole: what it shares with the one before is written twice.
      if (p > depth - square) p = depth - square;
      VECTOR rows[LANES];
      if (valid == LANES && square == LANES) {
        UNROLLED for (int r = 0; r < LANES; r++) rows[r] = *(const VECTOR *)(in + (i + r) * step + p);
      } else {
        UNROLLED for (int r = 0; r < LANES; r++)
          rows[r] = r < valid ? NAME(load)(in + (i + r) * step + p, square) : (VECTOR){0};
      }
      TRANSPOSE(rows)
      UNROLLED for (int r = 0; r < LANES; r++)
        if (r < square) *(VECTOR *)(out + (p + r) * width + i) = rows[r];
    }
  }
}

TARGET static void NAME(pack_along)(void *packed, const void *elements, long step, long count, long width,
                                    long depth) {
  REAL *out = packed;
  const REAL *in = elements;
  if (count == 2 * LANES && width == 2 * LANES) {
    for (long p = 0; p < depth; p++) {
      *(VECTOR *)(out + p * width) = *(const VECTOR *)(in + p * step);
      *(VECTOR *)(out + p * width + LANES) = *(const VECTOR *)(in + p * step + LANES);
    }
    return;
  }
  for (long p = 0; p < depth; p++)
    for (long i = 0; i < width; i += LANES) {
      const VECTOR part = NAME(load)(in + p * step + i, count > i ? count - i : 0);
      if (p < depth - 1)
        *(VECTOR *)(out + p * width + i) = part;
      else
        NAME(store)(out + p * width + i, part, width - i);
    }
}

// MARK: - Tiles

// One tile: `rows` x `vectors * LANES` sums that stay in registers while `depth` runs.
INLINE void NAME(tile)(const int rows, const int vectors, const int is_apart, long depth, const REAL *left,
                       long left_row, long left_step, const REAL *right, long right_step, const REAL *addend,
                       long addend_step, REAL *product, long product_step, long columns) {
  VECTOR sums[ROWS][2];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] = (VECTOR){0};
    __builtin_prefetch(product + r * product_step, 1);
    if (vectors == 2) __builtin_prefetch(product + r * product_step + LANES, 1);
  }
  // One pointer for each four rows keeps the addresses of rows that lie apart from becoming one chain of sums.
  const REAL *quads[(ROWS + 3) / 4];
  UNROLLED for (int q = 0; q < (rows + 3) / 4; q++) {
    quads[q] = left + 4 * q * left_row;
    if (is_apart) __asm__("" : "+r"(quads[q]));
  }
  for (long p = 0; p < depth; p++) {
    VECTOR factors[2];
    UNROLLED for (int v = 0; v < vectors; v++) {
      factors[v] = *(const VECTOR *)(right + v * LANES);
      __builtin_prefetch(right + 8 * right_step + v * LANES);
    }
    // Columns of a left factor that lies where it is given are steps apart that no processor foresees; of few columns
    // most would come too late.
    if (left_step > ROWS && depth > 32) {
      __builtin_prefetch(left + 8 * left_step);
      __builtin_prefetch(left + 8 * left_step + rows - 1);
      left += left_step;
    }
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += quads[r / 4][r % 4 * left_row] * factors[v];
    UNROLLED for (int q = 0; q < (rows + 3) / 4; q++) quads[q] += left_step;
    right += right_step;
  }
  if (columns == vectors * LANES) {
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) {
        if (addend) sums[r][v] += *(const VECTOR *)(addend + r * addend_step + v * LANES);
        *(VECTOR *)(product + r * product_step + v * LANES) = sums[r][v];
      }
  } else {
    // Every vector but the last is whole.
    const long rest = columns - (vectors - 1) * LANES;
    UNROLLED for (int r = 0; r < rows; r++)
      UNROLLED for (int v = 0; v < vectors; v++) {
        const long count = v == vectors - 1 ? rest : LANES;
        if (addend) sums[r][v] += NAME(load)(addend + r * addend_step + v * LANES, count);
        NAME(store)(product + r * product_step + v * LANES, sums[r][v], count);
      }
  }
}

typedef void NAME(tile_function)(long depth, const REAL *left, long left_row, long left_step, const REAL *right,
                                 long right_step, const REAL *addend, long addend_step, REAL *product,
                                 long product_step, long columns);

// A tile function for each number of rows: one or two vectors wide, the left factor's rows side by side or apart.
#define TILE(name, rows, vectors, is_apart)                                                                     \
  TARGET static void NAME(name##rows)(long depth, const REAL *left, long left_row, long left_step,              \
                                      const REAL *right, long right_step, const REAL *addend, long addend_step, \
                                      REAL *product, long product_step, long columns) {                         \
    NAME(tile)(rows, vectors, is_apart, depth, left, is_apart ? left_row : 1, is_apart ? 1 : left_step, right,  \
               right_step, addend, addend_step, product, product_step, columns);                                \
  }
#define TILES_OF(rows)            \
  TILE(narrow_, rows, 1, 0)       \
  TILE(wide_, rows, 2, 0)         \
  TILE(narrow_apart_, rows, 1, 1) \
  TILE(wide_apart_, rows, 2, 1)
FOR_EACH_ROW_COUNT(TILES_OF)
#undef TILES_OF
#undef TILE

#define NARROW(rows) NAME(narrow_##rows),
#define WIDE(rows) NAME(wide_##rows),
#define NARROW_APART(rows) NAME(narrow_apart_##rows),
#define WIDE_APART(rows) NAME(wide_apart_##rows),
static NAME(tile_function) *const NAME(tiles)[2][2][ROWS] = {
    {{FOR_EACH_ROW_COUNT(NARROW)}, {FOR_EACH_ROW_COUNT(WIDE)}},
    {{FOR_EACH_ROW_COUNT(NARROW_APART)}, {FOR_EACH_ROW_COUNT(WIDE_APART)}},
};
#undef NARROW
#undef WIDE
#undef NARROW_APART
#undef WIDE_APART

static void NAME(block)(long rows, long columns, long depth, const HostProductLeft *left,
                        const HostProductRight *right, const void *addend, long addend_step, void *product,
                        long product_step) {
  // Tiles of nearly equal height: 60 rows are five tiles of 12, not four of 14 and one of 4.
  const long tile_count = (rows + ROWS - 1) / ROWS;
  const long height = rows / tile_count, taller = rows % tile_count;
  for (long j = 0; j < columns; j += 2 * LANES) {
    const long rest = columns - j;
    const long width = rest > LANES ? 2 * LANES : LANES;
    NAME(tile_function) *const *tiles = NAME(tiles)[left->row_step > 1][rest > LANES];
    const REAL *panel = (const REAL *)right->elements + (right->step ? j : j * depth);
    long right_step = right->step ? right->step : width;
    if (right->edge && rest < 2 * LANES) {
      panel = right->edge;
      right_step = width;
    }
    long i = 0;
    for (long t = 0; t < tile_count; t++) {
      const long tile_rows = height + (t < taller);
      const REAL *tile = (const REAL *)left->elements + i * (left->step ? left->row_step : depth);
      tiles[tile_rows - 1](depth, tile, left->row_step, left->step ? left->step : tile_rows, panel, right_step,
                           addend ? (const REAL *)addend + i * addend_step + j : 0, addend_step,
                           (REAL *)product + i * product_step + j, product_step, rest < width ? rest : width);
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
  if (p < depth) {
    const VECTOR factor = LOAD_PART(vector + p, depth - p);
    UNROLLED for (int r = 0; r < rows; r++) sums[r][1] += LOAD_PART(matrix + r * step + p, depth - p) * factor;
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    const VECTOR folded = (sums[r][0] + sums[r][1]) + (sums[r][2] + sums[r][3]);
    REAL partial[LANES];
    *(VECTOR *)partial = folded;
    for (int width = LANES / 2; width > 0; width /= 2)
      for (int l = 0; l < width; l++) partial[l] += partial[l + width];
    product[r] = partial[0];
  }
}

// As many dot products as a vector has lanes, each over no more elements: added as `dots` does, but side by side.
INLINE void NAME(short_dots)(long depth, const REAL *matrix, long step, VECTOR factor, REAL *product) {
  VECTOR sums[LANES];
  UNROLLED for (int r = 0; r < LANES; r++) sums[r] = LOAD_PART(matrix + r * step, depth) * factor;
  TRANSPOSE(sums)
  UNROLLED for (int width = LANES / 2; width > 0; width /= 2)
    UNROLLED for (int l = 0; l < width; l++) sums[l] += sums[l + width];
  *(VECTOR *)product = sums[0];
}

TARGET static void NAME(rows_by_vector)(long rows, long depth, const void *matrix, long step, const void *vector,
                                        void *product) {
  const REAL *row = matrix;
  REAL *out = product;
  long i = 0;
  if (depth <= LANES) {
    const VECTOR factor = LOAD_PART((const REAL *)vector, depth);
    for (; i + LANES <= rows; i += LANES) NAME(short_dots)(depth, row + i * step, step, factor, out + i);
  }
  for (; i + 4 <= rows; i += 4) NAME(dots)(4, depth, row + i * step, step, vector, out + i);
  for (; i < rows; i++) NAME(dots)(1, depth, row + i * step, step, vector, out + i);
}

// Adds `count` rows of the matrix, each times its factor, to `vectors` neighbouring vectors of sums.
INLINE void NAME(strip)(const int vectors, const int rows, const REAL *matrix, long step, const REAL *vector,
                        REAL *product) {
  VECTOR sums[8];
  UNROLLED for (int v = 0; v < vectors; v++) sums[v] = *(const VECTOR *)(product + v * LANES);
  UNROLLED for (int r = 0; r < rows; r++)
    UNROLLED for (int v = 0; v < vectors; v++)
      sums[v] += vector[r] * *(const VECTOR *)(matrix + r * step + v * LANES);
  UNROLLED for (int v = 0; v < vectors; v++) *(VECTOR *)(product + v * LANES) = sums[v];
}

INLINE void NAME(sweep)(const int rows, long columns, const REAL *matrix, long step, const REAL *vector,
                        REAL *product) {
  long j = 0;
  for (; j + 4 * LANES <= columns; j += 4 * LANES) NAME(strip)(4, rows, matrix + j, step, vector, product + j);
  for (; j + LANES <= columns; j += LANES) NAME(strip)(1, rows, matrix + j, step, vector, product + j);
  if (j < columns) {
    VECTOR sum = LOAD_PART(product + j, columns - j);
    UNROLLED for (int r = 0; r < rows; r++) sum += vector[r] * LOAD_PART(matrix + r * step + j, columns - j);
    STORE_PART(product + j, sum, columns - j);
  }
}

TARGET static void NAME(vector_by_columns)(long columns, long depth, const void *matrix, long step,
                                           const void *vector, void *product) {
  const REAL *row = matrix, *factors = vector;
  REAL *sums = product;
  for (long j = 0; j < columns; j++) sums[j] = 0;
  long p = 0;
  // Whole rows, some at a time, so that memory is read in long stretches while the sums stay in the first cache.
  for (; p + 8 <= depth; p += 8) NAME(sweep)(8, columns, row + p * step, step, factors + p, sums);
  for (; p < depth; p++) NAME(sweep)(1, columns, row + p * step, step, factors + p, sums);
}

#include "window_template.h"
#include "winograd_template.h"

const HostProductKernels NAME(kernels) = {
    .lanes = LANES,
    .tile_rows = ROWS,
    .pack_across = NAME(pack_across),
    .pack_along = NAME(pack_along),
    .pack_runs = NAME(pack_runs),
    .unpack_runs = NAME(unpack_runs),
    .block = NAME(block),
    .window_block = NAME(window_block),
    .window_dots = NAME(window_dots),
    .winograd_weights = NAME(winograd_weights),
    .winograd_windows = NAME(winograd_windows),
    .winograd_outputs = NAME(winograd_outputs),
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
#undef EVENS
#undef ODDS
#undef LOWS
#undef HIGHS
#undef LOAD_PART
#undef STORE_PART
