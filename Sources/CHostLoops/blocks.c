#include "CHostBlocks.h"

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

// Kept for the life of the thread and reused, so that a loop allocates nothing once its thread has run one.
static _Thread_local void *scratch = NULL;
static _Thread_local intptr_t scratch_size = 0;

void *host_thread_scratch(intptr_t size) {
  if (size > scratch_size) {
    intptr_t rounded = (size + 65535) / 65536 * 65536;
    void *larger = aligned_alloc(64, (size_t)rounded);
    if (!larger) return NULL;
    free(scratch);
    scratch = larger;
    scratch_size = rounded;
  }
  return scratch;
}
