// Times the float32 matrix product of one library, loaded at run time so that no headers are needed:
//   matmul-peer openblas|onednn M N K SECONDS
// Prints one line of JSON. Exits with 2 where the library is missing and 3 where its result is wrong.

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void cblas_function(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                            int);
typedef int dnnl_function(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *, int64_t,
                          float, float *, int64_t);

static cblas_function *cblas;
static dnnl_function *dnnl;
static const char *detail = "";

static int load(const char *library) {
  const char *openblas[] = {"libopenblas.so.0", "libopenblas.so", NULL};
  const char *onednn[] = {"libdnnl.so.3", "libdnnl.so.2", "libdnnl.so.1", "libdnnl.so", NULL};
  const int is_openblas = !strcmp(library, "openblas");
  for (const char **name = is_openblas ? openblas : onednn; *name; name++) {
    void *handle = dlopen(*name, RTLD_NOW);
    if (!handle) continue;
    if (!is_openblas) return (dnnl = (dnnl_function *)dlsym(handle, "dnnl_sgemm")) != NULL;
    char *(*core)(void) = (char *(*)(void))dlsym(handle, "openblas_get_corename");
    if (core) detail = core();
    return (cblas = (cblas_function *)dlsym(handle, "cblas_sgemm")) != NULL;
  }
  return 0;
}

static void multiply(int m, int n, int k, const float *a, const float *b, float *c) {
  if (cblas)
    cblas(101, 111, 111, m, n, k, 1, a, k, b, n, 0, c, n);
  else
    dnnl('N', 'N', m, n, k, 1, a, k, b, n, 0, c, n);
}

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int ascending(const void *left, const void *right) {
  const double x = *(const double *)left, y = *(const double *)right;
  return (x > y) - (x < y);
}

// Numbers from -0.5 to 0.5, of a linear congruential generator.
static float next(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return (float)(*state >> 8) * 0x1p-24f - 0.5f;
}

int main(int count, char **words) {
  if (count != 6) return fprintf(stderr, "usage: %s openblas|onednn M N K SECONDS\n", words[0]), 1;
  const int m = atoi(words[2]), n = atoi(words[3]), k = atoi(words[4]);
  const double budget = atof(words[5]);
  if (!load(words[1])) return fprintf(stderr, "%s is not installed\n", words[1]), 2;

  float *a = malloc((size_t)m * k * sizeof *a), *b = malloc((size_t)k * n * sizeof *b);
  float *c = malloc((size_t)m * n * sizeof *c);
  if (!a || !b || !c) return fprintf(stderr, "out of memory\n"), 1;
  uint32_t state = 1;
  for (long i = 0; i < (long)m * k; i++) a[i] = next(&state);
  for (long i = 0; i < (long)k * n; i++) b[i] = next(&state);

  // The first product starts the threads and is checked at a sample of places.
  multiply(m, n, k, a, b, c);
  for (int sample = 0; sample < 100; sample++) {
    const long i = sample * 7919L % m, j = sample * 104729L % n;
    double sum = 0, size = 0;
    for (long p = 0; p < k; p++) {
      const double term = (double)a[i * k + p] * b[p * n + j];
      sum += term;
      size += fabs(term);
    }
    if (!(fabs(c[i * n + j] - sum) <= (k + 1) * 0x1p-23 * size)) return fprintf(stderr, "wrong result\n"), 3;
  }

  double times[1000];
  int runs = 0;
  const double start = seconds();
  while (runs < 1000 && (runs < 3 || seconds() - start < budget)) {
    const double before = seconds();
    multiply(m, n, k, a, b, c);
    times[runs++] = seconds() - before;
  }
  qsort(times, (size_t)runs, sizeof *times, ascending);
  const double median = times[runs / 2];
  printf("{\"median_ms\": %.6g, \"gflops\": %.6g, \"detail\": \"%s\"}\n", median * 1e3,
         2.0 * m * n * k / median * 1e-9, detail);
  return 0;
}
