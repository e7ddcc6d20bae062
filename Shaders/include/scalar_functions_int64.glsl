// What generated kernels do on 64-bit integers.

int64_t hekla_maximum(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t hekla_minimum(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t hekla_sign(int64_t x) { return x > 0l ? 1l : (x < 0l ? -1l : 0l); }
int64_t hekla_divide(int64_t a, int64_t b) { return b == 0l ? 0l : a / b; }
int64_t hekla_remainder(int64_t a, int64_t b) { return b == 0l ? 0l : a - b * (a / b); }

// Toward zero, held at the type's bounds, and 0 for NaN.
int64_t hekla_to_int64(float x) {
  if (hekla_is_nan(x)) return 0l;
  return x >= 9223372036854775808.0 ? 0x7FFFFFFFFFFFFFFFl
      : (x <= -9223372036854775808.0 ? -0x7FFFFFFFFFFFFFFFl - 1l : int64_t(x));
}
#ifdef HEKLA_DOUBLE
int64_t hekla_to_int64(double x) {
  if (hekla_is_nan(x)) return 0l;
  return x >= 9223372036854775808.0lf ? 0x7FFFFFFFFFFFFFFFl
      : (x <= -9223372036854775808.0lf ? -0x7FFFFFFFFFFFFFFFl - 1l : int64_t(x));
}
#endif
