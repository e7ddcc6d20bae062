#pragma once

// Transposes a square of vectors in place by exchanging ever smaller halves: in the stage of distance d, row i
// and row i + d (where i has bit d clear) swap the elements whose position has bit d set, respectively clear.

#define SWAP(rows, i, d, low, high)                                                \
  {                                                                                \
    __typeof__(rows[0]) upper = __builtin_shufflevector(rows[i], rows[i + d], low); \
    rows[i + d] = __builtin_shufflevector(rows[i], rows[i + d], high);             \
    rows[i] = upper;                                                               \
  }
#define LIST(...) __VA_ARGS__

// SWAP<lanes>_<distance>: positions from the number of lanes on are the other row's.
#define SWAP2_1(rows, i) SWAP(rows, i, 1, LIST(0, 2), LIST(1, 3))

#define SWAP4_2(rows, i) SWAP(rows, i, 2, LIST(0, 1, 4, 5), LIST(2, 3, 6, 7))
#define SWAP4_1(rows, i) SWAP(rows, i, 1, LIST(0, 4, 2, 6), LIST(1, 5, 3, 7))

#define SWAP8_4(rows, i) SWAP(rows, i, 4, LIST(0, 1, 2, 3, 8, 9, 10, 11), LIST(4, 5, 6, 7, 12, 13, 14, 15))
#define SWAP8_2(rows, i) SWAP(rows, i, 2, LIST(0, 1, 8, 9, 4, 5, 12, 13), LIST(2, 3, 10, 11, 6, 7, 14, 15))
#define SWAP8_1(rows, i) SWAP(rows, i, 1, LIST(0, 8, 2, 10, 4, 12, 6, 14), LIST(1, 9, 3, 11, 5, 13, 7, 15))

#define SWAP16_8(rows, i)                                                           \
  SWAP(rows, i, 8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),    \
       LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#define SWAP16_4(rows, i)                                                           \
  SWAP(rows, i, 4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),  \
       LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
#define SWAP16_2(rows, i)                                                           \
  SWAP(rows, i, 2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),  \
       LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
#define SWAP16_1(rows, i)                                                           \
  SWAP(rows, i, 1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30), \
       LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))

#define TRANSPOSE2(rows) SWAP2_1(rows, 0)
#define TRANSPOSE4(rows) \
  SWAP4_2(rows, 0) SWAP4_2(rows, 1) SWAP4_1(rows, 0) SWAP4_1(rows, 2)
#define TRANSPOSE8(rows)                                                \
  SWAP8_4(rows, 0) SWAP8_4(rows, 1) SWAP8_4(rows, 2) SWAP8_4(rows, 3)   \
  SWAP8_2(rows, 0) SWAP8_2(rows, 1) SWAP8_2(rows, 4) SWAP8_2(rows, 5)   \
  SWAP8_1(rows, 0) SWAP8_1(rows, 2) SWAP8_1(rows, 4) SWAP8_1(rows, 6)
#define TRANSPOSE16(rows)                                                     \
  SWAP16_8(rows, 0) SWAP16_8(rows, 1) SWAP16_8(rows, 2) SWAP16_8(rows, 3)     \
  SWAP16_8(rows, 4) SWAP16_8(rows, 5) SWAP16_8(rows, 6) SWAP16_8(rows, 7)     \
  SWAP16_4(rows, 0) SWAP16_4(rows, 1) SWAP16_4(rows, 2) SWAP16_4(rows, 3)     \
  SWAP16_4(rows, 8) SWAP16_4(rows, 9) SWAP16_4(rows, 10) SWAP16_4(rows, 11)   \
  SWAP16_2(rows, 0) SWAP16_2(rows, 1) SWAP16_2(rows, 4) SWAP16_2(rows, 5)     \
  SWAP16_2(rows, 8) SWAP16_2(rows, 9) SWAP16_2(rows, 12) SWAP16_2(rows, 13)   \
  SWAP16_1(rows, 0) SWAP16_1(rows, 2) SWAP16_1(rows, 4) SWAP16_1(rows, 6)     \
  SWAP16_1(rows, 8) SWAP16_1(rows, 10) SWAP16_1(rows, 12) SWAP16_1(rows, 14)

// Lanes of two vectors, to part what lies by turns, and the way back.
#define EVENS2 0, 2
#define ODDS2 1, 3
#define LOWS2 0, 2
#define HIGHS2 1, 3
#define EVENS4 0, 2, 4, 6
#define ODDS4 1, 3, 5, 7
#define LOWS4 0, 4, 1, 5
#define HIGHS4 2, 6, 3, 7
#define EVENS8 0, 2, 4, 6, 8, 10, 12, 14
#define ODDS8 1, 3, 5, 7, 9, 11, 13, 15
#define LOWS8 0, 8, 1, 9, 2, 10, 3, 11
#define HIGHS8 4, 12, 5, 13, 6, 14, 7, 15
#define EVENS16 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODDS16 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define LOWS16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGHS16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
