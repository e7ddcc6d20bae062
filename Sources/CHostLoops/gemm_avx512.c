// The product kernels for AVX-512: 14 x 2 vectors of sums take 28 of the 32 registers.

#include "CHostProducts.h"
#include "gemm_transpose.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))
#define ROWS 14
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define BROAD_ROWS 6
#define FOR_EACH_BROAD_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define DOT_COLUMNS 6

#define REAL float
#define LANES 16
#define NAME(x) host_product_float32_avx512_##x
#define TRANSPOSE TRANSPOSE16
#define EVENS EVENS16
#define ODDS ODDS16
#define LOWS LOWS16
#define HIGHS HIGHS16
#define LOAD_PART(from, count) ((VECTOR)_mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), from))
#define STORE_PART(to, vector, count) _mm512_mask_storeu_ps(to, (__mmask16)((1u << (count)) - 1), (__m512)(vector))
#include "gemm_template.h"

#define REAL double
#define LANES 8
#define NAME(x) host_product_float64_avx512_##x
#define TRANSPOSE TRANSPOSE8
#define EVENS EVENS8
#define ODDS ODDS8
#define LOWS LOWS8
#define HIGHS HIGHS8
#define LOAD_PART(from, count) ((VECTOR)_mm512_maskz_loadu_pd((__mmask8)((1u << (count)) - 1), from))
#define STORE_PART(to, vector, count) _mm512_mask_storeu_pd(to, (__mmask8)((1u << (count)) - 1), (__m512d)(vector))
#include "gemm_template.h"
#endif
