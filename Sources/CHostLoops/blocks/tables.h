// The tables of a library. Entries are null for what does not exist.

#pragma once
#include "CHostBlocks.h"

struct HostBlockLibrary {
  const char *name;
  /// By operation, type of the operands, and mask of the operands that are one element for the whole block.
  HostBlockFunction operations[HOST_OPERATION_COUNT][HOST_TYPE_COUNT][8];
  /// By type before and after.
  HostBlockFunction conversions[HOST_TYPE_COUNT][HOST_TYPE_COUNT];
  HostBlockFunction roundings[HOST_STORAGE_COUNT];
  HostBlockFunction splats[HOST_TYPE_COUNT];
  HostBlockFunction spreads[HOST_TYPE_COUNT];
  /// Of float32.
  HostBlockFunction row_operations[HOST_OPERATION_COUNT][HOST_ROW_OPERAND_COUNT];
  HostFillFunction fills[HOST_STORAGE_COUNT];
  HostSpillFunction spills[HOST_STORAGE_COUNT];
  HostFold folds[HOST_FOLD_COUNT][HOST_TYPE_COUNT];
  const HostAttentionKernels *attention;
  HostSegmentSums sum_segments;
  HostIndexChecks index_checks;
  HostSegmentExtremes segment_extremes[HOST_FOLD_COUNT][HOST_TYPE_COUNT];
  HostFourier transform_f32, transform_f64;
};
