// The blocks with AVX2, FMA and F16C.
#if defined(__x86_64__)
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#define HOST_HAS_HALF 1
#define HOST_HAS_SCALE 0
#define HOST_LEVEL_NAME "AVX2+FMA"
#define HOST_LIBRARY host_blocks_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "blocks/library.h"
#pragma clang attribute pop
#endif
