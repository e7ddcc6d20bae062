// The blocks with AVX-512. The features are listed one by one since `arch=x86-64-v4` prefers 256-bit vectors.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#define HOST_HAS_HALF 1
#define HOST_HAS_SCALE 1
#define HOST_LEVEL_NAME "AVX-512"
#define HOST_LIBRARY host_blocks_avx512
#define HOST_LOAD_PART_8(from, count) _mm256_maskz_loadu_ps((__mmask8)((1u << (count)) - 1), from)
#define HOST_STORE_PART_8(to, vector, count) _mm256_mask_storeu_ps(to, (__mmask8)((1u << (count)) - 1), (__m256)(vector))
#define HOST_LOAD_PART_16(from, count) _mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), from)
#define HOST_STORE_PART_16(to, vector, count) _mm512_mask_storeu_ps(to, (__mmask16)((1u << (count)) - 1), (__m512)(vector))
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "blocks/library.h"
#pragma clang attribute pop
#endif
