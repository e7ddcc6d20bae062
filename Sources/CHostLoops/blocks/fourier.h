// Fourier transforms of rows whose length is a multiple of 256.
//
// Number 16 j + l of a row is lane l of vector j. The lanes are transformed side by side, each over its n / 16 numbers,
// by Stockham's self-sorting passes (Van Loan 1992, section 1.7); then each number of the result is a sum over the
// lanes, which is a transform of 16 by two of radix 4, for 16 numbers at a time. Between passes a vector's real parts
// lie before its imaginary ones.

#pragma once
#include "vectors.h"

#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define LOWER_LANES_MIXED 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define UPPER_LANES_MIXED 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

// Exchanges the bit of weight `distance` of the row with that of the lane, in 16 rows.
#define EXCHANGE_LANES(V, rows, distance, FIRST, SECOND) \
  for (int i = 0; i < LANES; i++) \
    if (!(i & distance)) { \
      V a = rows[i], b = rows[i + distance]; \
      rows[i] = __builtin_shufflevector(a, b, FIRST); \
      rows[i + distance] = __builtin_shufflevector(a, b, SECOND); \
    }
#define FIRST_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define SECOND_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define FIRST_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define SECOND_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define FIRST_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define SECOND_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define FIRST_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define SECOND_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31

#define FOURIER(V) \
  typedef struct { V real, imaginary; } V##_number; \
  INLINE V##_number V##_product(V##_number x, V c, V s) { \
    return (V##_number){x.real * c - x.imaginary * s, x.real * s + x.imaginary * c}; \
  } \
  INLINE V##_number V##_load(const V##_element *p, _Bool is_row) { \
    V a = LOAD(V, p), b = LOAD(V, p + LANES); \
    if (!is_row) return (V##_number){a, b}; \
    return (V##_number){__builtin_shufflevector(a, b, EVEN_LANES), __builtin_shufflevector(a, b, ODD_LANES)}; \
  } \
  INLINE void V##_store(V##_element *p, V##_number x) { \
    STORE(V, p, x.real); \
    STORE(V, p + LANES, x.imaginary); \
  } \
  /* A transform of 4 in place. */ \
  INLINE void V##_fours(V##_number *a, V##_number *b, V##_number *c, V##_number *d, V##_element sign) { \
    V##_number sum = {a->real + c->real, a->imaginary + c->imaginary}; \
    V##_number difference = {a->real - c->real, a->imaginary - c->imaginary}; \
    V##_number odd = {b->real + d->real, b->imaginary + d->imaginary}; \
    /* A quarter turn of the difference: times -i, or i for the inverse. */ \
    V##_number quarter = {sign * (b->imaginary - d->imaginary), sign * (d->real - b->real)}; \
    *a = (V##_number){sum.real + odd.real, sum.imaginary + odd.imaginary}; \
    *b = (V##_number){difference.real + quarter.real, difference.imaginary + quarter.imaginary}; \
    *c = (V##_number){sum.real - odd.real, sum.imaginary - odd.imaginary}; \
    *d = (V##_number){difference.real - quarter.real, difference.imaginary - quarter.imaginary}; \
  } \
  /* One radix over vectors 0 ..< m, of which `done` have been transformed together. */ \
  INLINE void V##_pass_4( \
    const V##_element *source, _Bool is_row, V##_element *target, const HostFourierRow *row, intptr_t m, \
    intptr_t done) { \
    const V##_element *roots = row->roots, sign = row->sign; \
    const intptr_t quarter = m / 4, turn = m / (4 * done) * LANES; \
    for (intptr_t block = 0; block < quarter / done; block++) \
      for (intptr_t place = 0; place < done; place++) { \
        const V##_element *from = source + 2 * LANES * (block * done + place), *w = roots + 2 * place * turn; \
        V##_number x[4]; \
        x[0] = V##_load(from, is_row); \
        for (int j = 1; j < 4; j++) { \
          x[j] = V##_load(from + 2 * LANES * j * quarter, is_row); \
          if (done > 1) x[j] = V##_product(x[j], (V)w[0], (V)(sign * w[1])); \
          w += 2 * place * turn; \
        } \
        V##_fours(&x[0], &x[1], &x[2], &x[3], sign); \
        V##_element *to = target + 2 * LANES * (block * done * 4 + place); \
        for (int j = 0; j < 4; j++) V##_store(to + 2 * LANES * j * done, x[j]); \
      } \
  } \
  INLINE void V##_pass( \
    const V##_element *source, _Bool is_row, V##_element *target, const HostFourierRow *row, intptr_t m, \
    intptr_t done, intptr_t radix) { \
    const V##_element *roots = row->roots, sign = row->sign; \
    const intptr_t stride = m / radix, turn = m / (radix * done); \
    for (intptr_t block = 0; block < stride / done; block++) \
      for (intptr_t within = 0; within < radix * done; within++) { \
        const V##_element *from = source + 2 * LANES * (block * done + within % done); \
        V##_number sum = {0, 0}; \
        intptr_t power = 0; \
        for (intptr_t term = 0; term < radix; term++) { \
          const V##_element *w = roots + 2 * power * LANES; \
          V##_number x = V##_product( \
            V##_load(from + 2 * LANES * term * stride, is_row), (V)w[0], (V)(sign * w[1])); \
          sum.real += x.real; \
          sum.imaginary += x.imaginary; \
          power += within * turn; \
          if (power >= m) power -= m; \
        } \
        V##_store(target + 2 * LANES * (block * done * radix + within), sum); \
      } \
  } \
  INLINE void V##_transpose(V *rows) { \
    EXCHANGE_LANES(V, rows, 8, FIRST_8, SECOND_8) \
    EXCHANGE_LANES(V, rows, 4, FIRST_4, SECOND_4) \
    EXCHANGE_LANES(V, rows, 2, FIRST_2, SECOND_2) \
    EXCHANGE_LANES(V, rows, 1, FIRST_1, SECOND_1) \
  } \
  /* The sums over lanes: number k + m t of the result is that of lane l times the root of l (k + m t). */ \
  static void V##_combine(const V##_element *source, V##_element *result, const HostFourierRow *row, intptr_t m) { \
    const V##_element *roots = row->roots, *turns = row->turns, sign = row->sign; \
    for (intptr_t k = 0; k < m; k += LANES) { \
      V real[LANES], imaginary[LANES]; \
      for (int i = 0; i < LANES; i++) { \
        real[i] = LOAD(V, source + 2 * LANES * (k + i)); \
        imaginary[i] = LOAD(V, source + 2 * LANES * (k + i) + LANES); \
      } \
      V##_transpose(real); \
      V##_transpose(imaginary); \
      V##_number x[LANES]; \
      for (int l = 0; l < LANES; l++) { \
        const V##_element *w = turns + 2 * (l * m + k); \
        x[l] = V##_product((V##_number){real[l], imaginary[l]}, LOAD(V, w), LOAD(V, w + LANES)); \
      } \
      /* Lane 4 a + b, result c + 4 d: over a, times the root of b c of 16, over b. */ \
      for (int b = 0; b < 4; b++) { \
        V##_fours(&x[b], &x[4 + b], &x[8 + b], &x[12 + b], sign); \
        for (int c = 1; c < 4; c++) { \
          const V##_element *w = roots + 2 * b * c * m; \
          if (b > 0) x[4 * c + b] = V##_product(x[4 * c + b], (V)w[0], (V)(sign * w[1])); \
        } \
      } \
      for (int c = 0; c < 4; c++) { \
        V##_fours(&x[4 * c], &x[4 * c + 1], &x[4 * c + 2], &x[4 * c + 3], sign); \
        for (int d = 0; d < 4; d++) { \
          V##_element *to = result + 2 * (k + m * (c + 4 * d)); \
          V##_number y = x[4 * c + d]; \
          STORE(V, to, __builtin_shufflevector(y.real, y.imaginary, LOWER_LANES_MIXED)); \
          STORE(V, to + LANES, __builtin_shufflevector(y.real, y.imaginary, UPPER_LANES_MIXED)); \
        } \
      } \
    } \
  } \
  static void fourier_##V(const HostFourierRow *row, const void *source, void *result, void *scratch) { \
    const intptr_t m = row->count / LANES; \
    const V##_element *current = source; \
    intptr_t done = 1; \
    for (intptr_t i = 0; i < row->radix_count; i++) { \
      /* The last pass leaves its numbers where the sums do not go. */ \
      V##_element *next = (row->radix_count - i) % 2 ? scratch : result; \
      const intptr_t radix = row->radices[i]; \
      if (radix == 4 && i == 0) V##_pass_4(current, 1, next, row, m, 1); \
      else if (radix == 4) V##_pass_4(current, 0, next, row, m, done); \
      else V##_pass(current, i == 0, next, row, m, done, radix); \
      current = next; \
      done *= radix; \
    } \
    V##_combine(current, result, row, m); \
  }
FOURIER(f32)
FOURIER(f64)
