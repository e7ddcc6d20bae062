#pragma once
// Functions over blocks: short stretches of elements that sit in the first-level cache.
//
// The host device interprets an expression by calling one of these per operation and block, so that the cost
// of interpretation is shared by some thousand elements. Each is compiled once per level of vector
// instructions; the library for the running processor is chosen at run time.
//
// Registers hold one of six types. Memory that holds another type is converted where it is filled from or
// spilled to: float16 and bfloat16 become float, uint8 becomes uint32. A bool is one byte, 0 or 1.

#include <stdint.h>

typedef enum HostLevel { HOST_BASELINE, HOST_AVX2, HOST_AVX512, HOST_LEVEL_COUNT } HostLevel;

typedef enum HostType { HOST_FLOAT32, HOST_FLOAT64, HOST_INT32, HOST_UINT32, HOST_INT64, HOST_BOOL, HOST_TYPE_COUNT } HostType;

typedef enum HostOperation {
  HOST_ADD, HOST_SUBTRACT, HOST_MULTIPLY, HOST_DIVIDE, HOST_REMAINDER, HOST_MINIMUM, HOST_MAXIMUM, HOST_POWER,
  HOST_ATAN2, HOST_NEGATE, HOST_ABSOLUTE, HOST_SIGN, HOST_EXP, HOST_EXPM1, HOST_LOG, HOST_LOG1P, HOST_SQRT,
  HOST_RECIPROCAL_SQUARE_ROOT, HOST_SIN, HOST_COS, HOST_TAN, HOST_TANH, HOST_ASIN, HOST_ACOS, HOST_ATAN, HOST_SINH,
  HOST_COSH, HOST_ERF, HOST_FLOOR, HOST_CEIL, HOST_ROUND, HOST_LESS, HOST_LESS_OR_EQUAL, HOST_EQUAL, HOST_NOT_EQUAL,
  HOST_IS_NAN, HOST_AND, HOST_OR, HOST_NOT, HOST_BIT_AND, HOST_BIT_OR, HOST_BIT_XOR, HOST_SHIFT_LEFT,
  HOST_SHIFT_RIGHT, HOST_SELECT, HOST_THREEFRY_FIRST, HOST_THREEFRY_SECOND, HOST_OPERATION_COUNT
} HostOperation;

/// What memory holds, as far as filling and spilling must know.
typedef enum HostStorage {
  HOST_STORAGE_8, HOST_STORAGE_32, HOST_STORAGE_64, HOST_STORAGE_FLOAT16, HOST_STORAGE_BFLOAT16, HOST_STORAGE_UINT8,
  HOST_STORAGE_COUNT
} HostStorage;

typedef enum HostFoldKind {
  HOST_SUM, HOST_PRODUCT, HOST_FOLD_MAXIMUM, HOST_FOLD_MINIMUM, HOST_ARGUMENT_MAXIMUM, HOST_ARGUMENT_MINIMUM,
  HOST_FOLD_COUNT
} HostFoldKind;

/// Computes `count` results from the operands' elements at the same positions. `result` may be an operand.
typedef void (*HostBlockFunction)(
  void *_Nonnull result, const void *_Nonnull const *_Nonnull operands, intptr_t count);

/// How the points of a block lie in rows: what a function takes behind its operands where one is an element per row, or
/// a row that all rows share.
typedef struct HostRows {
  /// The points of a row.
  intptr_t length;
  /// The column of the block's first point.
  intptr_t first;
} HostRows;

/// Which operand of two is not a block, and what it is instead.
typedef enum HostRowOperand {
  HOST_SECOND_BY_ROW, HOST_FIRST_BY_ROW, HOST_SECOND_BY_COLUMN, HOST_FIRST_BY_COLUMN, HOST_ROW_OPERAND_COUNT
} HostRowOperand;

/// The fewest points of a row that functions of such operands take.
enum { HOST_LEAST_ROW = 16 };

/// Loads `rows` times `columns` elements, strides in elements, into consecutive places.
typedef void (*HostFillFunction)(
  void *_Nonnull result, const void *_Nonnull source, intptr_t rows, intptr_t columns, intptr_t row_stride, intptr_t column_stride);

/// Stores `rows` times `columns` consecutive values at places with these strides, in elements.
typedef void (*HostSpillFunction)(
  void *_Nonnull target, const void *_Nonnull values, intptr_t rows, intptr_t columns, intptr_t row_stride, intptr_t column_stride);

/// How one kind of fold works on values of one type.
///
/// Sums and products of float accumulate in double, so that rounding stays below one unit in the last place
/// of the result's scale however many terms there are. Every function works in an order that the
/// counts alone fix.
typedef struct HostFold {
  /// The size of one accumulator in bytes.
  intptr_t accumulator_size;
  /// Sets accumulators to the fold of nothing, their positions to `position`.
  void (*_Nonnull start)(void *_Nonnull accumulators, int32_t *_Nonnull positions, intptr_t count, int32_t position);
  /// Folds row after row of `length` values into one accumulator each; every row begins at `position`.
  void (*_Nonnull fold_rows)(
    void *_Nonnull accumulators, int32_t *_Nonnull positions, const void *_Nonnull values, intptr_t rows, intptr_t length, int32_t position);
  /// Folds `rows` rows of `length` values into `length` accumulators; the rows' positions count up from `position`.
  void (*_Nonnull fold_columns)(
    void *_Nonnull accumulators, int32_t *_Nonnull positions, const void *_Nonnull values, intptr_t rows, intptr_t length, int32_t position);
  /// Folds accumulators of later positions into those of earlier ones.
  void (*_Nonnull merge)(
    void *_Nonnull accumulators, int32_t *_Nonnull positions, const void *_Nonnull later,
    const int32_t *_Nonnull later_positions, intptr_t count);
  /// Turns accumulators into values of the fold's type; null where the positions are the result.
  void (*_Nullable finish)(void *_Nonnull result, const void *_Nonnull accumulators, intptr_t count);
} HostFold;

/// The scores of a block of an attention's queries with a block of keys.
typedef struct HostAttentionBlock {
  intptr_t queries;
  intptr_t keys;
  /// Floats from one query's scores to the next one's, at least the keys rounded up to a multiple of 16.
  intptr_t step;
  /// The factor of the products of query and keys.
  float scale;
  /// How many of the keys, from the first, the first query may read, and how many more each one after it may. Above
  /// the number of keys it is all of them, below 0 none.
  intptr_t count, count_step;
  /// What is added to the score of the first query with the first key; null where nothing is.
  const float *_Nullable mask;
  /// Floats from one query's to the next one's, and from one key's to the next one's, which is 1, or 0 where it is one
  /// number for all of them.
  intptr_t mask_row_step, mask_step;
  /// How many numbers there are from `mask` on, those of other blocks too.
  intptr_t mask_count;
} HostAttentionBlock;

/// What an attention does to a block between its matrix products. A row's elements beyond those that its query may read
/// become 0; behind the keys, up to a multiple of 16, anything may be read and written.
typedef struct HostAttentionKernels {
  /// Turns `products` into exponentials of the scores less the largest so far of their query, which goes to `tops`, and
  /// adds them to `totals`. With `results`, rows of `width` floats `result_step` apart, these and the totals are first
  /// brought to the new tops; without, the block is the first. Tops and totals have room for a multiple of 16.
  void (*_Nonnull softmax)(
    const HostAttentionBlock *_Nonnull block, float *_Nonnull products, float *_Nonnull tops,
    float *_Nonnull totals, float *_Nullable results, intptr_t result_step, intptr_t width);
  /// Turns `products` into weights, the exponentials of the scores less the query's level, and `changes`, the products
  /// of upstream and values, into the gradients of `products`: weight * (change - less) * scale.
  void (*_Nonnull change)(
    const HostAttentionBlock *_Nonnull block, float *_Nonnull products, float *_Nonnull changes,
    const float *_Nonnull levels, const float *_Nonnull less);
  /// Divides the results by their query's total, and writes the logarithm of each sum of exponentials to `sums`.
  void (*_Nonnull finish)(
    intptr_t queries, const float *_Nonnull tops, const float *_Nonnull totals, float *_Nonnull sums,
    float *_Nonnull results, intptr_t result_step, intptr_t width);
} HostAttentionKernels;

/// What is summed over segments: rows of an array of values, each perhaps many times.
typedef struct HostTerms {
  /// The numbers of the terms, segment by segment.
  const int32_t *_Nonnull order;
  /// Which row of the values each term is; null, with the weights, where term `t` is row `t`.
  const int32_t *_Nullable sources;
  /// What each term is multiplied with.
  const float *_Nullable weights;
} HostTerms;

/// For each `r` in `first ..< end` writes the sum of terms `order[offsets[r]]` to `order[offsets[r + 1] - 1]`, in that
/// order, into row `r` of `result`; rows of more than `limit` terms are left alone. Rows have `columns` floats.
typedef void (*HostSegmentSums)(
  float *_Nonnull result, const float *_Nonnull values, const HostTerms *_Nonnull terms,
  const int32_t *_Nonnull offsets, intptr_t first, intptr_t end, intptr_t limit, intptr_t columns);

/// What an array of indices holds, without a branch for each.
typedef struct HostIndexChecks {
  /// The largest of `count` indices as unsigned numbers, so that negative ones are large; 0 of none.
  uint32_t (*_Nonnull largest_index)(const int32_t *_Nonnull indices, intptr_t count);
  /// The most terms of `segments` segments, segment `s` from `offsets[s]` up to `offsets[s + 1]`; -1 where an offset is
  /// below the one before. No offset is negative.
  int32_t (*_Nonnull longest_segment)(const int32_t *_Nonnull offsets, intptr_t segments);
} HostIndexChecks;

/// For each `r` in `first ..< end` writes the largest or least of rows `order[offsets[r]]` to `order[offsets[r + 1] - 1]`
/// of `values`, column by column, into row `r` of `result`: NaN where there is one, `*empty` where there is no row. Of equals
/// an earlier one stays.
typedef void (*HostSegmentExtremes)(
  void *_Nonnull result, const void *_Nonnull values, const int32_t *_Nonnull order, const int32_t *_Nonnull offsets,
  intptr_t first, intptr_t end, intptr_t columns, const void *_Nonnull empty);

/// Fourier transforms of rows of complex numbers whose count is a multiple of 256.
typedef struct HostFourierRow {
  /// The numbers of a row.
  intptr_t count;
  /// The prime factors of count / 16, or products of them, in any order.
  const int32_t *_Nonnull radices;
  /// Their number.
  intptr_t radix_count;
  /// e^(-2 pi i p / count) for each p below `count`, of the row's type.
  const void *_Nonnull roots;
  /// The roots, or for the inverse their conjugates, of l k for l below 16 and k below count / 16: for each 16 numbers
  /// k the real parts, then the imaginary ones.
  const void *_Nonnull turns;
  /// 1, or -1 for the inverse.
  int32_t sign;
} HostFourierRow;

/// Transforms the row at `source` into `result`, without a factor; `scratch` has room for a row. None may be another.
typedef void (*HostFourier)(
  const HostFourierRow *_Nonnull row, const void *_Nonnull source, void *_Nonnull result, void *_Nonnull scratch);

/// The block functions for one level of vector instructions.
typedef struct HostBlockLibrary HostBlockLibrary;

/// The best level that the processor and the system support.
HostLevel host_best_level(void);

/// The library of `level`, or null where this machine cannot run it.
const HostBlockLibrary *_Nullable host_block_library(HostLevel level);

/// The library that every processor can run.
const HostBlockLibrary *_Nonnull host_baseline_library(void);

/// What the library's level is called.
const char *_Nonnull host_library_name(const HostBlockLibrary *_Nonnull library);

/// An operation on operands of `type`, those whose bits are set in `uniform` being one element for the whole
/// block; null where there is no such function.
HostBlockFunction _Nullable host_find_operation(
  const HostBlockLibrary *_Nonnull library, HostOperation operation, HostType type, int uniform);

/// A conversion between register types; null where they are the same.
HostBlockFunction _Nullable host_find_conversion(const HostBlockLibrary *_Nonnull library, HostType from, HostType to);

/// Rounds values in registers to what the storage can hold; null where it holds all.
HostBlockFunction _Nullable host_find_rounding(const HostBlockLibrary *_Nonnull library, HostStorage storage);

/// Repeats one element.
HostBlockFunction _Nonnull host_find_splat(const HostBlockLibrary *_Nonnull library, HostType type);

/// Repeats one element per row over its row, of any length: operands are the elements and `HostRows`.
HostBlockFunction _Nonnull host_find_spread(const HostBlockLibrary *_Nonnull library, HostType type);

/// An operation on a block and an operand by rows, of at least `HOST_LEAST_ROW` points; operands are the block, the
/// other one and `HostRows`. Null where there is no such function.
HostBlockFunction _Nullable host_find_row_operation(
  const HostBlockLibrary *_Nonnull library, HostOperation operation, HostType type, HostRowOperand operand);

HostFillFunction _Nonnull host_find_fill(const HostBlockLibrary *_Nonnull library, HostStorage storage);
HostSpillFunction _Nonnull host_find_spill(const HostBlockLibrary *_Nonnull library, HostStorage storage);
const HostFold *_Nonnull host_find_fold(const HostBlockLibrary *_Nonnull library, HostFoldKind kind, HostType type);

/// What attention needs besides matrix products.
const HostAttentionKernels *_Nonnull host_attention_kernels(const HostBlockLibrary *_Nonnull library);

/// Sums over segments.
HostSegmentSums _Nonnull host_segment_sums(const HostBlockLibrary *_Nonnull library);

/// What indices are checked with.
HostIndexChecks host_index_checks(const HostBlockLibrary *_Nonnull library);

/// Extremes over segments: `HOST_FOLD_MAXIMUM` or `HOST_FOLD_MINIMUM` of float32, float64 or int32; null for others.
HostSegmentExtremes _Nullable host_segment_extremes(
  const HostBlockLibrary *_Nonnull library, HostFoldKind kind, HostType type);

/// Fourier transforms of float, or of double.
HostFourier _Nonnull host_fourier(const HostBlockLibrary *_Nonnull library, int is_double);

/// One call of a block function: operands and result by number of their slot.
typedef struct HostInstruction {
  HostBlockFunction _Nonnull function;
  int32_t result;
  int32_t operands[4];
} HostInstruction;

/// Runs `code` over blocks of `count` elements at the addresses in `slots`.
void host_run(
  const HostInstruction *_Nonnull code, intptr_t instruction_count, void *_Nonnull const *_Nonnull slots,
  intptr_t count);

/// Writes `count` consecutive int32 `start + i * step`.
void host_count_up(int32_t *_Nonnull result, int32_t start, int32_t step, intptr_t count);

/// At least `size` bytes aligned to 64 that belong to the calling thread; valid until it asks again. Null where the
/// system has none: the caller then leaves its part of the work undone, which `host_scratch_refusals` tells.
void *_Nullable host_thread_scratch(intptr_t size);

/// How often any thread of the process was refused memory for its work so far.
intptr_t host_scratch_refusals(void);

/// The bytes that were asked for the last time that any thread was refused.
intptr_t host_refused_scratch_size(void);
