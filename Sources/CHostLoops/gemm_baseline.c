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

#define REAL float
#define LANES 4
#define NAME(x) host_product_float32_baseline_##x
#define TRANSPOSE TRANSPOSE4
#define LOAD_PART LOAD_PART_LOOP
#define STORE_PART STORE_PART_LOOP
#include "gemm_template.h"

#define REAL double
#define LANES 2
#define NAME(x) host_product_float64_baseline_##x
#define TRANSPOSE TRANSPOSE2
#define LOAD_PART LOAD_PART_LOOP
#define STORE_PART STORE_PART_LOOP
#include "gemm_template.h"

#if defined(__x86_64__)
extern const struct host_product_kernels host_product_float32_avx2_kernels, host_product_float64_avx2_kernels;
extern const struct host_product_kernels host_product_float32_avx512_kernels, host_product_float64_avx512_kernels;
#endif

const struct host_product_kernels *host_product_kernels_at(long element_size, enum host_product_level level) {
  const int is_double = element_size == sizeof(double);
  switch (level) {
  case host_product_baseline:
    return is_double ? &host_product_float64_baseline_kernels : &host_product_float32_baseline_kernels;
#if defined(__x86_64__)
  case host_product_avx2:
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return NULL;
    return is_double ? &host_product_float64_avx2_kernels : &host_product_float32_avx2_kernels;
  case host_product_avx512:
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq"))
      return NULL;
    return is_double ? &host_product_float64_avx512_kernels : &host_product_float32_avx512_kernels;
#endif
  default: return NULL;
  }
}

const struct host_product_kernels *host_product_best_kernels(long element_size) {
  const struct host_product_kernels *kernels = host_product_kernels_at(element_size, host_product_avx512);
  if (!kernels) kernels = host_product_kernels_at(element_size, host_product_avx2);
  return kernels ? kernels : host_product_kernels_at(element_size, host_product_baseline);
}
