// The blocks with AVX2, FMA and F16C.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#define HOST_HAS_HALF 1
#define HOST_HAS_SCALE 0
#define HOST_LEVEL_NAME "AVX2+FMA"
#define HOST_LIBRARY host_blocks_avx2
// Eight words of which the first `count` have all bits set: a window of these.
static const int32_t part_words[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
#define PART_MASK(count) _mm256_loadu_si256((const __m256i *)(part_words + 8 - (count)))
#define HOST_LOAD_PART_8(from, count) _mm256_maskload_ps(from, PART_MASK(count))
#define HOST_STORE_PART_8(to, vector, count) _mm256_maskstore_ps(to, PART_MASK(count), (__m256)(vector))
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "blocks/library.h"
#pragma clang attribute pop
#endif
