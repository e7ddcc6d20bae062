// What generated kernels do in double precision.

// By its bits, as for single precision: compilers may take x != x for false.
bool hekla_is_nan(double x) {
  uvec2 bits = unpackDouble2x32(x);
  uint high = bits.y & 0x7FFFFFFFu;
  return high > 0x7FF00000u || (high == 0x7FF00000u && bits.x != 0u);
}

double hekla_maximum(double a, double b) { return a > b || hekla_is_nan(a) ? a : b; }
double hekla_minimum(double a, double b) { return a < b || hekla_is_nan(a) ? a : b; }
double hekla_sign(double x) { return hekla_is_nan(x) ? x : sign(x); }

// As for single precision.
int hekla_to_int(double x) {
  if (hekla_is_nan(x)) return 0;
  return x >= 2147483647.0lf ? 0x7FFFFFFF : (x <= -2147483648.0lf ? -0x7FFFFFFF - 1 : int(x));
}
uint hekla_to_uint(double x) { return x >= 4294967295.0lf ? 0xFFFFFFFFu : (x > 0.0lf ? uint(x) : 0u); }
#define HEKLA_DOUBLE
