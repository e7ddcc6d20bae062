// The library of one level: what a file that includes this compiles with, under the name HOST_LIBRARY.

#pragma once
#include "tables.h"
#include "operations.h"
#include "rows.h"
#include "memory.h"
#include "folds.h"
#include "attention.h"
#include "indices.h"
#include "segments.h"
#include "fourier.h"

#define PAIR(name) {name##_0, name##_1, name##_2}
#define BY_ROWS_ENTRY(name) {name##_second_by_row, name##_first_by_row, name##_second_by_column, name##_first_by_column}
#define CHOICE(name) {name##_0, 0, name##_2, 0, name##_4, 0, name##_6}
#define ONE(name) {name}
#define BOTH_REALS(name) {[HOST_FLOAT32] = ONE(name##_f32), [HOST_FLOAT64] = ONE(name##_f64)}
#define ELEMENTARY_ENTRY(name) {[HOST_FLOAT32] = ONE(name##_f32_block), [HOST_FLOAT64] = ONE(name##_f64)}
#define INTEGER_PAIRS(name) [HOST_INT32] = PAIR(name##_i32), [HOST_UINT32] = PAIR(name##_u32), [HOST_INT64] = PAIR(name##_i64)
#define NUMBER_PAIRS(name) [HOST_FLOAT32] = PAIR(name##_f32), [HOST_FLOAT64] = PAIR(name##_f64), INTEGER_PAIRS(name)
#define NUMBERS(name) \
  {[HOST_FLOAT32] = ONE(name##_f32), [HOST_FLOAT64] = ONE(name##_f64), [HOST_INT32] = ONE(name##_i32), \
    [HOST_UINT32] = ONE(name##_u32), [HOST_INT64] = ONE(name##_i64)}
#define FOLD_ENTRY(name, size) {size, name##_start, name##_rows, name##_columns, name##_merge, name##_finish}
#define ARGUMENT_ENTRY(name, size) {size, name##_start, name##_rows, name##_columns, name##_merge, 0}
#define EXTREME_FOLDS(name) \
  {[HOST_FLOAT32] = FOLD_ENTRY(name##_f32, 4), [HOST_FLOAT64] = FOLD_ENTRY(name##_f64, 8), \
    [HOST_INT32] = FOLD_ENTRY(name##_i32, 4), [HOST_UINT32] = FOLD_ENTRY(name##_u32, 4), \
    [HOST_INT64] = FOLD_ENTRY(name##_i64, 8)
#define SUM_FOLDS(name) \
  {[HOST_FLOAT32] = FOLD_ENTRY(name##_f32, 8), [HOST_FLOAT64] = FOLD_ENTRY(name##_f64, 8), \
    [HOST_INT32] = FOLD_ENTRY(name##_u32, 4), [HOST_UINT32] = FOLD_ENTRY(name##_u32, 4), \
    [HOST_INT64] = FOLD_ENTRY(name##_u64, 8), [HOST_BOOL] = FOLD_ENTRY(name##_u8, 1)}
#define ARGUMENT_FOLD_ENTRIES(name) \
  {[HOST_FLOAT32] = ARGUMENT_ENTRY(name##_f32, 4), [HOST_FLOAT64] = ARGUMENT_ENTRY(name##_f64, 8), \
    [HOST_INT32] = ARGUMENT_ENTRY(name##_i32, 4), [HOST_UINT32] = ARGUMENT_ENTRY(name##_u32, 4), \
    [HOST_INT64] = ARGUMENT_ENTRY(name##_i64, 8), [HOST_BOOL] = ARGUMENT_ENTRY(name##_u8, 1)}

const HostBlockLibrary HOST_LIBRARY = {
  .name = HOST_LEVEL_NAME,
  .operations = {
    [HOST_ADD] = {NUMBER_PAIRS(add)},
    [HOST_SUBTRACT] = {NUMBER_PAIRS(subtract)},
    [HOST_MULTIPLY] = {NUMBER_PAIRS(multiply)},
    [HOST_DIVIDE] = {
      [HOST_FLOAT32] = PAIR(divide_f32), [HOST_FLOAT64] = PAIR(divide_f64), [HOST_INT32] = PAIR(divide_i32),
      [HOST_UINT32] = PAIR(divide_u32), [HOST_INT64] = ONE(divide_i64)},
    [HOST_REMAINDER] = {
      [HOST_FLOAT32] = ONE(remainder_f32), [HOST_FLOAT64] = ONE(remainder_f64), [HOST_INT32] = PAIR(remainder_i32),
      [HOST_UINT32] = PAIR(remainder_u32), [HOST_INT64] = ONE(remainder_i64)},
    [HOST_MINIMUM] = {NUMBER_PAIRS(minimum), [HOST_BOOL] = PAIR(minimum_u8)},
    [HOST_MAXIMUM] = {NUMBER_PAIRS(maximum), [HOST_BOOL] = PAIR(maximum_u8)},
    [HOST_POWER] = {[HOST_FLOAT32] = PAIR(power_f32_block), [HOST_FLOAT64] = ONE(power_f64)},
    [HOST_ATAN2] = {[HOST_FLOAT32] = PAIR(atan2_f32_block), [HOST_FLOAT64] = ONE(atan2_f64)},
    [HOST_NEGATE] = NUMBERS(negate),
    [HOST_ABSOLUTE] = NUMBERS(absolute),
    [HOST_SIGN] = NUMBERS(sign),
    [HOST_EXP] = ELEMENTARY_ENTRY(exp),
    [HOST_EXPM1] = ELEMENTARY_ENTRY(expm1),
    [HOST_LOG] = ELEMENTARY_ENTRY(log),
    [HOST_LOG1P] = ELEMENTARY_ENTRY(log1p),
    [HOST_SQRT] = BOTH_REALS(sqrt),
    [HOST_RECIPROCAL_SQUARE_ROOT] = BOTH_REALS(reciprocal_square_root),
    [HOST_SIN] = ELEMENTARY_ENTRY(sin),
    [HOST_COS] = ELEMENTARY_ENTRY(cos),
    [HOST_TAN] = ELEMENTARY_ENTRY(tan),
    [HOST_TANH] = ELEMENTARY_ENTRY(tanh),
    [HOST_ASIN] = ELEMENTARY_ENTRY(asin),
    [HOST_ACOS] = ELEMENTARY_ENTRY(acos),
    [HOST_ATAN] = ELEMENTARY_ENTRY(atan),
    [HOST_SINH] = ELEMENTARY_ENTRY(sinh),
    [HOST_COSH] = ELEMENTARY_ENTRY(cosh),
    [HOST_ERF] = ELEMENTARY_ENTRY(erf),
    [HOST_FLOOR] = BOTH_REALS(floor),
    [HOST_CEIL] = BOTH_REALS(ceil),
    [HOST_ROUND] = BOTH_REALS(round),
    [HOST_LESS] = {NUMBER_PAIRS(less), [HOST_BOOL] = PAIR(less_u8)},
    [HOST_LESS_OR_EQUAL] = {NUMBER_PAIRS(less_or_equal), [HOST_BOOL] = PAIR(less_or_equal_u8)},
    [HOST_EQUAL] = {NUMBER_PAIRS(equal), [HOST_BOOL] = PAIR(equal_u8)},
    [HOST_NOT_EQUAL] = {NUMBER_PAIRS(not_equal), [HOST_BOOL] = PAIR(not_equal_u8)},
    [HOST_IS_NAN] = BOTH_REALS(is_nan),
    [HOST_AND] = {[HOST_BOOL] = PAIR(and_u8)},
    [HOST_OR] = {[HOST_BOOL] = PAIR(or_u8)},
    [HOST_NOT] = {[HOST_BOOL] = ONE(not_u8)},
    [HOST_BIT_AND] = {INTEGER_PAIRS(bit_and), [HOST_BOOL] = PAIR(and_u8)},
    [HOST_BIT_OR] = {INTEGER_PAIRS(bit_or), [HOST_BOOL] = PAIR(or_u8)},
    [HOST_BIT_XOR] = {INTEGER_PAIRS(bit_xor), [HOST_BOOL] = PAIR(xor_u8)},
    [HOST_SHIFT_LEFT] = {INTEGER_PAIRS(shift_left)},
    [HOST_SHIFT_RIGHT] = {INTEGER_PAIRS(shift_right)},
    [HOST_SELECT] = {
      [HOST_FLOAT32] = CHOICE(select_f32), [HOST_FLOAT64] = CHOICE(select_f64), [HOST_INT32] = CHOICE(select_i32),
      [HOST_UINT32] = CHOICE(select_u32), [HOST_INT64] = CHOICE(select_i64), [HOST_BOOL] = CHOICE(select_u8)},
    [HOST_THREEFRY_FIRST] = {
      [HOST_UINT32] = {threefry_first_0, 0, 0, threefry_first_3, 0, 0, 0, threefry_first_7}},
    [HOST_THREEFRY_SECOND] = {
      [HOST_UINT32] = {threefry_second_0, 0, 0, threefry_second_3, 0, 0, 0, threefry_second_7}},
  },
  .conversions = {
    [HOST_FLOAT32] = {0, convert_f32_f64, convert_f32_i32, convert_f32_u32, convert_f32_i64, convert_f32_u8},
    [HOST_FLOAT64] = {convert_f64_f32, 0, convert_f64_i32, convert_f64_u32, convert_f64_i64, convert_f64_u8},
    [HOST_INT32] = {convert_i32_f32, convert_i32_f64, 0, convert_i32_u32, convert_i32_i64, convert_i32_u8},
    [HOST_UINT32] = {convert_u32_f32, convert_u32_f64, convert_u32_i32, 0, convert_u32_i64, convert_u32_u8},
    [HOST_INT64] = {convert_i64_f32, convert_i64_f64, convert_i64_i32, convert_i64_u32, 0, convert_i64_u8},
    [HOST_BOOL] = {convert_u8_f32, convert_u8_f64, convert_u8_i32, convert_u8_u32, convert_u8_i64, 0},
  },
  .roundings = {
    [HOST_STORAGE_FLOAT16] = round_to_float16, [HOST_STORAGE_BFLOAT16] = round_to_bfloat16,
    [HOST_STORAGE_UINT8] = keep_low_byte},
  .splats = {splat_u32, splat_i64, splat_u32, splat_u32, splat_i64, splat_u8},
  .spreads = {spread_u32, spread_i64, spread_u32, spread_u32, spread_i64, spread_u8},
  .row_operations = {
    [HOST_ADD] = BY_ROWS_ENTRY(add_f32), [HOST_SUBTRACT] = BY_ROWS_ENTRY(subtract_f32),
    [HOST_MULTIPLY] = BY_ROWS_ENTRY(multiply_f32), [HOST_DIVIDE] = BY_ROWS_ENTRY(divide_f32)},
  .fills = {fill_8, fill_32, fill_64, fill_float16, fill_bfloat16, fill_uint8},
  .spills = {spill_8, spill_32, spill_64, spill_float16, spill_bfloat16, spill_uint8},
  .folds = {
    [HOST_SUM] = SUM_FOLDS(sum),
    [HOST_PRODUCT] = SUM_FOLDS(product),
    [HOST_FOLD_MAXIMUM] = EXTREME_FOLDS(maximum), [HOST_BOOL] = FOLD_ENTRY(sum_u8, 1)},
    [HOST_FOLD_MINIMUM] = EXTREME_FOLDS(minimum), [HOST_BOOL] = FOLD_ENTRY(product_u8, 1)},
    [HOST_ARGUMENT_MAXIMUM] = ARGUMENT_FOLD_ENTRIES(argument_maximum),
    [HOST_ARGUMENT_MINIMUM] = ARGUMENT_FOLD_ENTRIES(argument_minimum),
  },
  .attention = &attention_kernels,
  .sum_segments = sum_segments,
  .index_checks = {largest_index, longest_segment},
  .segment_extremes = {
    [HOST_FOLD_MAXIMUM] = {
      [HOST_FLOAT32] = segment_maximum_f32, [HOST_FLOAT64] = segment_maximum_f64, [HOST_INT32] = segment_maximum_i32},
    [HOST_FOLD_MINIMUM] = {
      [HOST_FLOAT32] = segment_minimum_f32, [HOST_FLOAT64] = segment_minimum_f64, [HOST_INT32] = segment_minimum_i32}},
  .transform_f32 = fourier_f32,
  .transform_f64 = fourier_f64,
};
