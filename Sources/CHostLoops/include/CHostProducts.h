#pragma once

// The innermost parts of the matrix product: packing, register tiles and matrix-vector products, one set per
// element type and instruction set. What is multiplied in which order, and by which thread, is the caller's.
//
// Sources: K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008;
// F. Van Zee, R. van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", ACM TOMS 41(3), 2015.

#pragma clang assume_nonnull begin

/// A set of machine instructions that the kernels come in.
enum host_product_level {
  /// What every processor of the architecture has.
  host_product_baseline = 0,
  /// x86-64 with AVX2 and FMA.
  host_product_avx2 = 1,
  /// x86-64 with AVX-512 F.
  host_product_avx512 = 2,
};

/// The left factor of a block, `rows` x `depth`.
///
/// Packed, each tile lies by itself, column after column without a gap, and tile follows tile. Direct, the factor
/// lies in the caller's matrix.
struct host_product_left {
  /// The first element.
  const void *elements;
  /// Elements from one row to the next; 1 where the factor is packed.
  long row_step;
  /// Elements from one column to the next where the factor is direct, 0 where it is packed.
  long step;
};

/// The right factor of a block, `depth` x `columns`.
///
/// Packed, each panel lies by itself, row after row without a gap, and panel follows panel. Direct, the rows lie
/// in the caller's matrix.
struct host_product_right {
  /// The first element.
  const void *elements;
  /// Elements from one row to the next where the factor is direct, 0 where it is packed.
  long step;
  /// Where a direct factor's last panel is incomplete: that panel, packed, so that no load leaves the matrix.
  const void *_Nullable edge;
};

/// The kernels of one element type and one instruction set.
struct host_product_kernels {
  /// Elements in a vector; a panel of the right factor is two vectors wide, or one where that holds the rest.
  long lanes;
  /// The most rows of a tile.
  long tile_rows;

  /// Packs `count` rows of `depth` elements, `step` apart, into `depth` rows of `width >= count`: a transposition.
  /// Elements from `count` to a right panel's `width` become 0. May write one vector past the end of `packed`.
  void (*pack_across)(void *packed, const void *elements, long step, long count, long width, long depth);

  /// Packs `depth` rows of `count` elements, `step` apart, into `depth` rows of `width >= count`, 0 beyond `count`.
  void (*pack_along)(void *packed, const void *elements, long step, long count, long width, long depth);

  /// Computes `product = left * right`, or adds to `product` where `accumulates`, for one block in cache:
  /// each element's sum runs over `depth` in order, whatever tile the element falls in.
  void (*block)(long rows, long columns, long depth, const struct host_product_left *left,
                const struct host_product_right *right, void *product, long product_step, int accumulates);

  /// Computes `product[i] = sum over p of matrix[i * step + p] * vector[p]`.
  void (*rows_by_vector)(long rows, long depth, const void *matrix, long step, const void *vector, void *product);

  /// Computes `product[j] = sum over p of vector[p] * matrix[p * step + j]`, each sum in order.
  void (*vector_by_columns)(long columns, long depth, const void *matrix, long step, const void *vector,
                            void *product);
};

/// The kernels for `float` (`element_size` 4) or `double` (8), or null where this processor lacks `level`.
const struct host_product_kernels *_Nullable host_product_kernels_at(long element_size, enum host_product_level level);

/// The kernels for `float` (`element_size` 4) or `double` (8) at the highest level that this processor has.
const struct host_product_kernels *host_product_best_kernels(long element_size);

#pragma clang assume_nonnull end
