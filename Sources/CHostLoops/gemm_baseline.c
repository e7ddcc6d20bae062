// The product kernels for every processor: vectors of 16 bytes, and the choice of a set at run time.

#include "CHostProducts.h"
#include "gemm_transpose.h"

#include <stddef.h>

#define TARGET
#define LOAD_PART_LOOP(from, count)                                  \
  ({                                                                 \
    VECTOR part = {0};                                               \
    for (int l = 0; l < LANES; l++) part[l] = l < (count) ? (from)[l] : 0; \
    part;                                                            \
  })
#define STORE_PART_LOOP(to, vector, count) \
  for (int l = 0; l < (count); l++) (to)[l] = (vector)[l]
#define ROWS 6
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define BROAD_ROWS 2
#define FOR_EACH_BROAD_ROW_COUNT(X) X(1) X(2)
#define DOT_COLUMNS 3

#define REAL float
#define LANES 4
#define NAME(x) host_product_float32_baseline_##x
#define TRANSPOSE TRANSPOSE4
#define EVENS EVENS4
#define ODDS ODDS4
#define LOWS LOWS4
#define HIGHS HIGHS4
#define LOAD_PART LOAD_PART_LOOP
#define STORE_PART STORE_PART_LOOP
#include "gemm_template.h"

#define REAL double
#define LANES 2
#define NAME(x) host_product_float64_baseline_##x
#define TRANSPOSE TRANSPOSE2
#define EVENS EVENS2
#define ODDS ODDS2
#define LOWS LOWS2
#define HIGHS HIGHS2
#define LOAD_PART LOAD_PART_LOOP
#define STORE_PART STORE_PART_LOOP
#include "gemm_template.h"

#if defined(__x86_64__)
extern const HostProductKernels host_product_float32_avx2_kernels, host_product_float64_avx2_kernels;
extern const HostProductKernels host_product_float32_avx512_kernels, host_product_float64_avx512_kernels;
#endif

static const HostProductKernels *kernels_at(HostLevel level, int is_double) {
#if defined(__x86_64__)
  if (level == HOST_AVX512)
    return is_double ? &host_product_float64_avx512_kernels : &host_product_float32_avx512_kernels;
  if (level == HOST_AVX2) return is_double ? &host_product_float64_avx2_kernels : &host_product_float32_avx2_kernels;
#endif
  return is_double ? &host_product_float64_baseline_kernels : &host_product_float32_baseline_kernels;
}

const HostProductKernels *host_product_kernels(long element_size, HostLevel level) {
  return level > host_best_level() ? NULL : kernels_at(level, element_size == sizeof(double));
}

const HostProductKernels *host_best_product_kernels(long element_size) {
  return kernels_at(host_best_level(), element_size == sizeof(double));
}
