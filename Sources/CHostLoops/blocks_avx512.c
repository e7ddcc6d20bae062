// The blocks with AVX-512. The features are listed one by one since `arch=x86-64-v4` prefers 256-bit vectors.
#if defined(__x86_64__)
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#define HOST_HAS_HALF 1
#define HOST_HAS_SCALE 1
#define HOST_LEVEL_NAME "AVX-512"
#define HOST_LIBRARY host_blocks_avx512
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "blocks/library.h"
#pragma clang attribute pop
#endif
