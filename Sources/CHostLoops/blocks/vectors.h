// The vector types and the loops around them. Every vector has 16 lanes; the compiler splits it into
// registers of the level's width.
//
// Vectors are spelled out rather than left to the auto-vectorizer: the code is then as wide in a debug build,
// and an element's result does not depend on where in a block it lies, since the last lanes run through the
// same vector code.

#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#pragma clang diagnostic ignored "-Wpsabi"

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

#define VECTOR(name, element) \
  typedef element name __attribute__((ext_vector_type(LANES))); \
  typedef element name##_memory __attribute__((ext_vector_type(LANES), aligned(1), may_alias));
VECTOR(f32, float)
VECTOR(f64, double)
VECTOR(i32, int32_t)
VECTOR(u32, uint32_t)
VECTOR(i64, int64_t)
VECTOR(u64, uint64_t)
VECTOR(i8, int8_t)
VECTOR(u8, uint8_t)
VECTOR(u16, uint16_t)
#if HOST_HAS_HALF
VECTOR(f16, _Float16)
#endif

typedef float f32_element;
typedef double f64_element;
typedef int32_t i32_element;
typedef uint32_t u32_element;
typedef int64_t i64_element;
typedef uint8_t u8_element;

#define LOAD(V, pointer) (*(const V##_memory *)(pointer))
#define STORE(V, pointer, value) (*(V##_memory *)(pointer) = (value))
#define CONVERT(V, value) __builtin_convertvector(value, V)
#define BITS(V, value) __builtin_bit_cast(V, value)

// Loads `count` < LANES elements; the other lanes are `rest`.
#define LOAD_PART(V, pointer, count, rest) \
  ({ V part = (V)(V##_element)(rest); memcpy(&part, (pointer), (size_t)(count) * sizeof(V##_element)); part; })
#define STORE_PART(V, pointer, value, count) \
  ({ V part = (value); memcpy((pointer), &part, (size_t)(count) * sizeof(V##_element)); })

// A block function `name` of one operand; `expression` gives R from the V called `a`.
#define UNARY(name, R, V, expression) \
  INLINE R name##_lanes(V a) { return (expression); } \
  static void name(void *result, const void *const *operands, intptr_t count) { \
    R##_element *d = result; \
    const V##_element *p = operands[0]; \
    intptr_t i = 0; \
    for (; i + LANES <= count; i += LANES) STORE(R, d + i, name##_lanes(LOAD(V, p + i))); \
    if (i < count) STORE_PART(R, d + i, name##_lanes(LOAD_PART(V, p + i, count - i, 0)), count - i); \
  }

// A block function of one operand that calls a scalar function.
#define UNARY_SCALAR(name, V, expression) \
  static void name(void *result, const void *const *operands, intptr_t count) { \
    V##_element *d = result; \
    const V##_element *p = operands[0]; \
    for (intptr_t i = 0; i < count; i++) { V##_element a = p[i]; d[i] = (expression); } \
  }

// Block functions of two operands: name_0 of two blocks, name_1 where the first, name_2 where the second
// operand is one element.
#define BINARY(name, R, V, expression) \
  INLINE R name##_lanes(V a, V b) { return (expression); } \
  INLINE void name##_loop(R##_element *d, const V##_element *p, const V##_element *q, intptr_t count, int uniform) { \
    V a0 = (V)p[0], b0 = (V)q[0]; \
    intptr_t i = 0; \
    for (; i + LANES <= count; i += LANES) \
      STORE(R, d + i, name##_lanes(uniform & 1 ? a0 : LOAD(V, p + i), uniform & 2 ? b0 : LOAD(V, q + i))); \
    if (i < count) \
      STORE_PART(R, d + i, name##_lanes(uniform & 1 ? a0 : LOAD_PART(V, p + i, count - i, 0), \
        uniform & 2 ? b0 : LOAD_PART(V, q + i, count - i, 0)), count - i); \
  } \
  static void name##_0(void *result, const void *const *o, intptr_t count) { name##_loop(result, o[0], o[1], count, 0); } \
  static void name##_1(void *result, const void *const *o, intptr_t count) { name##_loop(result, o[0], o[1], count, 1); } \
  static void name##_2(void *result, const void *const *o, intptr_t count) { name##_loop(result, o[0], o[1], count, 2); }

#define BINARY_SCALAR(name, V, expression) \
  static void name(void *result, const void *const *o, intptr_t count) { \
    V##_element *d = result; \
    const V##_element *p = o[0], *q = o[1]; \
    for (intptr_t i = 0; i < count; i++) { V##_element a = p[i], b = q[i]; d[i] = (expression); } \
  }
