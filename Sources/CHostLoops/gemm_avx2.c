// The product kernels for AVX2 and FMA: 6 x 2 vectors of sums take 12 of the 16 registers.

#include "CHostProducts.h"
#include "gemm_transpose.h"

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,fma")))
#define ROWS 6
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)

#define REAL float
#define LANES 8
#define NAME(x) host_product_float32_avx2_##x
#define TRANSPOSE TRANSPOSE8
#include "gemm_template.h"

#define REAL double
#define LANES 4
#define NAME(x) host_product_float64_avx2_##x
#define TRANSPOSE TRANSPOSE4
#include "gemm_template.h"
#endif
