#include "CHostConvolutions.h"

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define CLONES
#endif

#define REAL float
#define NAME(x) x##_float32
#include "convolution.h"

#define REAL double
#define NAME(x) x##_float64
#include "convolution.h"
