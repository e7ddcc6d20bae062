#include "CHostBlocks.h"
#include "blocks/tables.h"

#include <stdlib.h>

extern const HostBlockLibrary host_blocks_baseline;
#if defined(__x86_64__)
extern const HostBlockLibrary host_blocks_avx2, host_blocks_avx512;
#endif

HostLevel host_best_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return HOST_AVX512;
  if (__builtin_cpu_supports("x86-64-v3")) return HOST_AVX2;
#endif
  return HOST_BASELINE;
}

const HostBlockLibrary *host_block_library(HostLevel level) {
  if (level > host_best_level()) return NULL;
#if defined(__x86_64__)
  if (level == HOST_AVX512) return &host_blocks_avx512;
  if (level == HOST_AVX2) return &host_blocks_avx2;
#endif
  return &host_blocks_baseline;
}

const HostBlockLibrary *host_baseline_library(void) { return &host_blocks_baseline; }

const char *host_library_name(const HostBlockLibrary *library) { return library->name; }

HostBlockFunction host_find_operation(
  const HostBlockLibrary *library, HostOperation operation, HostType type, int uniform) {
  return uniform < 8 ? library->operations[operation][type][uniform] : NULL;
}

HostBlockFunction host_find_conversion(const HostBlockLibrary *library, HostType from, HostType to) {
  return library->conversions[from][to];
}

HostBlockFunction host_find_rounding(const HostBlockLibrary *library, HostStorage storage) {
  return library->roundings[storage];
}

HostBlockFunction host_find_splat(const HostBlockLibrary *library, HostType type) { return library->splats[type]; }

HostBlockFunction host_find_spread(const HostBlockLibrary *library, HostType type) { return library->spreads[type]; }

HostBlockFunction host_find_row_operation(
  const HostBlockLibrary *library, HostOperation operation, HostType type, HostRowOperand operand) {
  return type == HOST_FLOAT32 ? library->row_operations[operation][operand] : NULL;
}

HostFillFunction host_find_fill(const HostBlockLibrary *library, HostStorage storage) {
  return library->fills[storage];
}

HostSpillFunction host_find_spill(const HostBlockLibrary *library, HostStorage storage) {
  return library->spills[storage];
}

const HostFold *host_find_fold(const HostBlockLibrary *library, HostFoldKind kind, HostType type) {
  return &library->folds[kind][type];
}

const HostAttentionKernels *host_attention_kernels(const HostBlockLibrary *library) { return library->attention; }

HostSegmentSums host_segment_sums(const HostBlockLibrary *library) { return library->sum_segments; }

HostIndexChecks host_index_checks(const HostBlockLibrary *library) { return library->index_checks; }

HostSegmentExtremes host_segment_extremes(const HostBlockLibrary *library, HostFoldKind kind, HostType type) {
  return library->segment_extremes[kind][type];
}

HostFourier host_fourier(const HostBlockLibrary *library, int is_double) {
  return is_double ? library->transform_f64 : library->transform_f32;
}

void host_run(const HostInstruction *code, intptr_t instruction_count, void *const *slots, intptr_t count) {
  for (intptr_t i = 0; i < instruction_count; i++) {
    const HostInstruction *step = &code[i];
    const void *operands[4] = {
      slots[step->operands[0]], slots[step->operands[1]], slots[step->operands[2]], slots[step->operands[3]]};
    step->function(slots[step->result], operands, count);
  }
}

void host_count_up(int32_t *result, int32_t start, int32_t step, intptr_t count) {
  for (intptr_t i = 0; i < count; i++) result[i] = (int32_t)((uint32_t)start + (uint32_t)step * (uint32_t)i);
}

static _Atomic intptr_t refusal_count = 0, refused_size = 0;

intptr_t host_scratch_refusals(void) { return refusal_count; }

intptr_t host_refused_scratch_size(void) { return refused_size; }

// Kept for the life of the thread and reused, so that a loop allocates nothing once its thread has run one.
static _Thread_local void *scratch = NULL;
static _Thread_local intptr_t scratch_size = 0;

void *host_thread_scratch(intptr_t size) {
  if (size > scratch_size) {
    intptr_t rounded = (size + 65535) / 65536 * 65536;
    void *larger = aligned_alloc(64, (size_t)rounded);
    if (!larger) {
      refused_size = rounded;
      refusal_count++;
      return NULL;
    }
    free(scratch);
    scratch = larger;
    scratch_size = rounded;
  }
  return scratch;
}
