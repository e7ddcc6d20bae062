// The product kernels for AVX2 and FMA: 6 x 2 vectors of sums take 12 of the 16 registers.

#include "CHostProducts.h"
#include "gemm_transpose.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Eight words of which the first `count` have all bits set: a window of these.
static const int mask_words[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
#define MASK32(count) _mm256_loadu_si256((const __m256i *)(mask_words + 8 - (count)))
#define MASK64(count) _mm256_loadu_si256((const __m256i *)(mask_words + 8 - 2 * (count)))

#define TARGET __attribute__((target("avx2,fma")))
#define ROWS 6
#define FOR_EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define BROAD_ROWS 2
#define FOR_EACH_BROAD_ROW_COUNT(X) X(1) X(2)
#define DOT_COLUMNS 3

#define REAL float
#define LANES 8
#define NAME(x) host_product_float32_avx2_##x
#define TRANSPOSE TRANSPOSE8
#define EVENS EVENS8
#define ODDS ODDS8
#define LOWS LOWS8
#define HIGHS HIGHS8
#define LOAD_PART(from, count) ((VECTOR)_mm256_maskload_ps(from, MASK32(count)))
#define STORE_PART(to, vector, count) _mm256_maskstore_ps(to, MASK32(count), (__m256)(vector))
#include "gemm_template.h"

#define REAL double
#define LANES 4
#define NAME(x) host_product_float64_avx2_##x
#define TRANSPOSE TRANSPOSE4
#define EVENS EVENS4
#define ODDS ODDS4
#define LOWS LOWS4
#define HIGHS HIGHS4
#define LOAD_PART(from, count) ((VECTOR)_mm256_maskload_pd(from, MASK64(count)))
#define STORE_PART(to, vector, count) _mm256_maskstore_pd(to, MASK64(count), (__m256d)(vector))
#include "gemm_template.h"
#endif
