// What generated kernels do in double precision.

double hekla_maximum(double a, double b) { return a > b || a != a ? a : b; }
double hekla_minimum(double a, double b) { return a < b || a != a ? a : b; }
double hekla_sign(double x) { return x != x ? x : sign(x); }

// As for single precision. Comparisons, not bits: GLSL has no test for NaN in double precision but itself.
int hekla_to_int(double x) {
  return x >= 2147483647.0lf ? 0x7FFFFFFF : (x <= -2147483648.0lf ? -0x7FFFFFFF - 1 : (x != x ? 0 : int(x)));
}
uint hekla_to_uint(double x) { return x >= 4294967295.0lf ? 0xFFFFFFFFu : (x > 0.0lf ? uint(x) : 0u); }
#define HEKLA_DOUBLE
