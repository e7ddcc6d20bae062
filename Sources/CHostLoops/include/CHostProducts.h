#pragma once

// The innermost parts of the matrix product: packing, register tiles and matrix-vector products, one set per
// element type and instruction set. What is multiplied in which order, and by which thread, is the caller's.
//
// Sources: K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008;
// F. Van Zee, R. van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", ACM TOMS 41(3), 2015.

#include "CHostBlocks.h"

#pragma clang assume_nonnull begin

/// The left factor of a block, `rows` x `depth`.
///
/// Packed, each tile lies by itself, column after column without a gap, and tile follows tile. Direct, the factor
/// lies in the caller's matrix.
typedef struct HostProductLeft {
  /// The first element.
  const void *elements;
  /// Elements from one row to the next; 1 where the factor is packed.
  long row_step;
  /// Elements from one column to the next where the factor is direct, 0 where it is packed.
  long step;
} HostProductLeft;

/// The right factor of a block, `depth` x `columns`.
///
/// Packed, each panel lies by itself, row after row without a gap, and panel follows panel. Direct, the rows lie
/// in the caller's matrix.
typedef struct HostProductRight {
  /// The first element.
  const void *elements;
  /// Elements from one row to the next where the factor is direct, 0 where it is packed.
  long step;
  /// Where a direct factor's last panel is incomplete: that panel, packed, so that no load leaves the matrix.
  const void *_Nullable edge;
} HostProductRight;

/// A stretch of elements that copying takes to neighbouring places, or back.
typedef struct HostProductRun {
  /// Where it goes in a packed row.
  int32_t place;
  /// How many elements.
  int32_t count;
  /// Where it comes from; negative where the elements are 0.
  int32_t source;
} HostProductRun;

/// A stretch of positions whose windows are neighbours.
typedef struct HostWindowRun {
  /// The first position's place among the windows' elements.
  int32_t place;
  /// The first position's column.
  int32_t column;
  /// How many positions, a multiple of a vector's elements.
  int32_t count;
} HostWindowRun;

/// What dot products of outputs and windows run over.
typedef struct HostWindowDots {
  const HostWindowRun *runs;
  long run_count;
  /// Items of a batch, each with the same runs.
  long item_count;
  /// The elements that windows are taken from, and elements from one item's to the next's.
  const void *windows;
  long window_item_step;
  /// The outputs, columns in order, and elements from one row and one item to the next.
  const void *outputs;
  long output_step;
  long output_item_step;
  /// All bits set for each column that is a position, none elsewhere; null where elements between positions, which
  /// meet outputs of 0, are known to be finite.
  const void *_Nullable mask;
} HostWindowDots;

/// The kernels of one element type and one instruction set.
typedef struct HostProductKernels {
  /// Elements in a vector; a panel of the right factor is two vectors wide, or one where that holds the rest.
  long lanes;
  /// The most rows of a tile.
  long tile_rows;

  /// Packs `count` rows of `depth` elements, `step` apart, into `depth` rows of `width >= count`: a transposition.
  /// Elements from `count` to a right panel's `width` become 0. May write one vector past the end of `packed`.
  void (*pack_across)(void *packed, const void *elements, long step, long count, long width, long depth);

  /// Packs `depth` rows of `count` elements, `step` apart, into `depth` rows of `width >= count`, 0 beyond `count`.
  void (*pack_along)(void *packed, const void *elements, long step, long count, long width, long depth);

  /// Packs `depth` rows, `step` apart, into rows `packed_step` apart, each the same `run_count` runs of elements
  /// `spacing` apart.
  void (*pack_runs)(void *packed, long packed_step, const void *elements, long step, long spacing, long depth,
                    const HostProductRun *runs, long run_count);

  /// The way back: runs go from their places to where they come from.
  void (*unpack_runs)(void *elements, long step, long spacing, const void *packed, long packed_step, long depth,
                      const HostProductRun *runs, long run_count);

  /// Computes `product = left * right + addend` for one block in cache: each element's sum runs over `depth` in order,
  /// whatever tile the element falls in, and what is added comes last. The addend may be null, be the product itself,
  /// or be one row for all where its step is 0.
  void (*block)(long rows, long columns, long depth, const HostProductLeft *left,
                const HostProductRight *right, const void *_Nullable addend, long addend_step, void *product,
                long product_step);

  /// Computes `product[i, j] = sum over p of left[i, p] * windows[offsets[p] + j]`, or adds to `product` where
  /// `accumulates`, for packed tiles of the left factor and `columns` that are a multiple of `lanes`.
  void (*window_block)(long rows, long columns, long depth, const void *left, const void *windows,
                       const int32_t *offsets, void *product, long product_step, int accumulates);

  /// Adds to `sums[i, p]` the dot product of row `i` of the outputs and the windows at `offsets[p]`.
  void (*window_dots)(long rows, long depth, const HostWindowDots *dots, const int32_t *offsets, void *sums,
                      long sums_step);

  /// Transforms `rows` x `columns` windows of 3 x 3 weights, `row_step` and `column_step` apart, perhaps with their taps
  /// backwards, and packs each of the 16 products' as one tile of a left factor, `step` from one product to the next.
  void (*winograd_weights)(void *packed, long step, const void *weights, long row_step, long column_step,
                           int is_flipped, long rows, long columns);

  /// Transforms the tiles of a plane, each the 4 x 4 elements from its first output's place in `region` on, whose rows
  /// are `region_step` apart. Tiles lie row by row, `step` from one product to the next.
  /// May write one vector past the last tile, and reads as much past the last element.
  void (*winograd_windows)(void *windows, long step, const void *region, long region_step, long tile_rows,
                           long tile_columns);

  /// Transforms the products of a plane's tiles back to outputs, whose rows are `output_step` apart, and returns
  /// whether all are finite. May read a vector past the last tile.
  int (*winograd_outputs)(void *outputs, long output_step, long output_rows, long output_columns,
                          const void *products, long step);

  /// Computes `product[i] = sum over p of matrix[i * step + p] * vector[p]`.
  void (*rows_by_vector)(long rows, long depth, const void *matrix, long step, const void *vector, void *product);

  /// Computes `product[j] = sum over p of vector[p] * matrix[p * step + j]`, each sum in order.
  void (*vector_by_columns)(long columns, long depth, const void *matrix, long step, const void *vector,
                            void *product);
} HostProductKernels;

/// The kernels for `float` (`element_size` 4) or `double` (8), or null where this processor lacks `level`.
const HostProductKernels *_Nullable host_product_kernels(long element_size, HostLevel level);

/// The kernels for `float` (`element_size` 4) or `double` (8) at the best level that this processor has.
const HostProductKernels *host_best_product_kernels(long element_size);

#pragma clang assume_nonnull end
