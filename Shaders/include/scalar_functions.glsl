// What generated kernels use beyond GLSL's own functions: the same meaning on every device, NaN and infinity
// included. Sources: Cody 1969 (erf); Salmon et al. 2011 (Threefry); Kahan's series for expm1 and log1p near 0.

// By the bits: a driver may take for granted that no number is NaN, and drop a comparison of one with itself.
bool hekla_is_nan(float x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) > 0x7F800000u; }

// The larger and the smaller; NaN if either is NaN (GLSL leaves that open).
float hekla_maximum(float a, float b) { return a > b || hekla_is_nan(a) ? a : b; }
float hekla_minimum(float a, float b) { return a < b || hekla_is_nan(a) ? a : b; }
int hekla_maximum(int a, int b) { return max(a, b); }
int hekla_minimum(int a, int b) { return min(a, b); }
uint hekla_maximum(uint a, uint b) { return max(a, b); }
uint hekla_minimum(uint a, uint b) { return min(a, b); }

float hekla_sign(float x) { return hekla_is_nan(x) ? x : sign(x); }
int hekla_sign(int x) { return sign(x); }

// Division by zero gives 0, as on the host.
int hekla_divide(int a, int b) { return b == 0 ? 0 : a / b; }
uint hekla_divide(uint a, uint b) { return b == 0u ? 0u : a / b; }
// GLSL leaves the sign of % open for negative operands.
int hekla_remainder(int a, int b) { return b == 0 ? 0 : a - b * (a / b); }
uint hekla_remainder(uint a, uint b) { return b == 0u ? 0u : a % b; }
float hekla_remainder(float a, float b) {
  bool isLess = abs(a) <= 3.4028235e38 && abs(b) > 3.4028235e38;
  return isLess ? a : a - b * trunc(a / b);
}

// Toward zero, held at the type's bounds, and 0 for NaN, which GLSL leaves open.
int hekla_to_int(float x) {
  if (hekla_is_nan(x)) return 0;
  return x >= 2147483648.0 ? 0x7FFFFFFF : (x <= -2147483648.0 ? -0x7FFFFFFF - 1 : int(x));
}
uint hekla_to_uint(float x) {
  if (hekla_is_nan(x)) return 0u;
  return x >= 4294967296.0 ? 0xFFFFFFFFu : (x <= 0.0 ? 0u : uint(x));
}

float hekla_expm1(float x) {
  // Taylor series to x^8 where exp(x) - 1 cancels; its remainder is below 2^-25 there.
  float series = x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.0083333338
      + x * (0.0013888889 + x * (0.00019841270 + x * 2.4801588e-05)))))));
  return abs(x) < 0.5 ? series : exp(x) - 1.0;
}

float hekla_log1p(float x) {
  // log(1 + x) = 2 atanh(x / (2 + x)), the series cut where its remainder is below 2^-25.
  float s = x / (2.0 + x);
  float q = s * s;
  float series = 2.0 * s * (1.0 + q * (0.33333334 + q * (0.2 + q * (0.14285715 + q * (0.11111111 + q * 0.09090909)))));
  return abs(x) < 0.5 ? series : log(1.0 + x);
}

float hekla_tanh(float x) {
  float t = hekla_expm1(-2.0 * abs(x));
  float y = -t / (2.0 + t);
  return hekla_is_nan(x) ? x : (x < 0.0 ? -y : y);
}

float hekla_sinh(float x) {
  float t = hekla_expm1(abs(x));
  float y = abs(x) > 80.0 ? 0.5 * exp(abs(x)) : 0.5 * (t + t / (t + 1.0));
  return hekla_is_nan(x) ? x : (x < 0.0 ? -y : y);
}

float hekla_cosh(float x) {
  float t = exp(abs(x));
  return 0.5 * t + 0.5 / t;
}

// The special cases of IEEE 754-2019, section 9.2.1.
float hekla_power(float x, float y) {
  if (y == 0.0 || x == 1.0) return 1.0;
  float infinity = uintBitsToFloat(0x7F800000u);
  float magnitude = pow(abs(x), y);
  if (x == 0.0) magnitude = y > 0.0 ? 0.0 : infinity;
  if (x == -1.0) magnitude = 1.0;
  bool isWhole = floor(y) == y;
  bool isOdd = isWhole && abs(y - 2.0 * floor(0.5 * y)) == 1.0;
  float result = floatBitsToUint(x) >= 0x80000000u && isOdd ? -magnitude : magnitude;
  bool isUndefined = (x < 0.0 && x != -infinity && !isWhole) || hekla_is_nan(x) || hekla_is_nan(y);
  return isUndefined ? uintBitsToFloat(0x7FC00000u) : result;
}

// Rational approximations of Cody 1969, Mathematics of Computation 23, 631-637.
float hekla_erf(float x) {
  float y = abs(x);
  float q = x * x;
  float inner = x * ((((0.185777706 * q + 3.16112374) * q + 113.864154) * q + 377.485238) * q + 3209.37759)
      / ((((q + 23.6012910) * q + 244.024638) * q + 1282.61653) * q + 2844.23683);
  float numerator = ((((((((2.15311535e-8 * y + 0.564188497) * y + 8.88314979) * y + 66.1191906) * y + 298.635138) * y
      + 881.952221) * y + 1712.04761) * y + 2051.07838) * y + 1230.33935);
  float denominator = ((((((((y + 15.7449261) * y + 117.693951) * y + 537.181102) * y + 1621.38957) * y
      + 3290.79924) * y + 4362.61909) * y + 3439.36767) * y + 1230.33935);
  float outer = 1.0 - exp(-q) * numerator / denominator;
  float result = y > 4.0 ? 1.0 : outer;
  return hekla_is_nan(x) ? x : (y <= 0.46875 ? inner : (x < 0.0 ? -result : result));
}

uint hekla_rotate(uint x, int bits) { return (x << bits) | (x >> (32 - bits)); }

#define HEKLA_ROUND(bits) c0 += c1; c1 = hekla_rotate(c1, bits) ^ c0;
// Threefry-2x32 with 20 rounds.
uvec2 hekla_threefry(uint k0, uint k1, uint c0, uint c1) {
  uint k2 = 0x1BD11BDAu ^ k0 ^ k1;
  c0 += k0; c1 += k1;
  HEKLA_ROUND(13) HEKLA_ROUND(15) HEKLA_ROUND(26) HEKLA_ROUND(6)
  c0 += k1; c1 += k2 + 1u;
  HEKLA_ROUND(17) HEKLA_ROUND(29) HEKLA_ROUND(16) HEKLA_ROUND(24)
  c0 += k2; c1 += k0 + 2u;
  HEKLA_ROUND(13) HEKLA_ROUND(15) HEKLA_ROUND(26) HEKLA_ROUND(6)
  c0 += k0; c1 += k1 + 3u;
  HEKLA_ROUND(17) HEKLA_ROUND(29) HEKLA_ROUND(16) HEKLA_ROUND(24)
  c0 += k1; c1 += k2 + 4u;
  HEKLA_ROUND(13) HEKLA_ROUND(15) HEKLA_ROUND(26) HEKLA_ROUND(6)
  c0 += k2; c1 += k0 + 5u;
  return uvec2(c0, c1);
}

// The inverses of the trigonometric functions, for which Vulkan allows an error of 4096 units in the last place, and
// drivers take some thousand. Source: Moshier, "Cephes mathematical library" 2.2, 1992: asinf, acosf and atanf.
float hekla_asin_inner(float x) {
  float q = x * x;
  return x + x * q * (0.16666752 + q * (0.074953003 + q * (0.045470026 + q * (0.024181311 + q * 0.042163199))));
}

float hekla_asin(float x) {
  float y = abs(x);
  // By the bits, so that NaN goes the same way as what is beyond 1.
  if (floatBitsToUint(y) > 0x3F800000u) return uintBitsToFloat(0x7FC00000u);
  float result = y > 0.5 ? 1.5707964 - 2.0 * hekla_asin_inner(sqrt(0.5 - 0.5 * y)) : hekla_asin_inner(y);
  return x < 0.0 ? -result : result;
}

float hekla_acos(float x) {
  float y = abs(x);
  if (floatBitsToUint(y) > 0x3F800000u) return uintBitsToFloat(0x7FC00000u);
  if (y <= 0.5) return 1.5707964 - hekla_asin_inner(x);
  float result = 2.0 * hekla_asin_inner(sqrt(0.5 - 0.5 * y));
  return x < 0.0 ? 3.1415927 - result : result;
}

float hekla_atan(float x) {
  float y = abs(x);
  // tan(3 pi / 8) and tan(pi / 8).
  bool isLarge = y > 2.4142136;
  bool isMiddle = !isLarge && y > 0.41421357;
  float start = isLarge ? 1.5707964 : (isMiddle ? 0.78539819 : 0.0);
  float z = isLarge ? -1.0 / y : (isMiddle ? (y - 1.0) / (y + 1.0) : y);
  float q = z * z;
  float series = z + z * q * (-0.33332949 + q * (0.19977711 + q * (-0.13877686 + q * 0.080537445)));
  float result = start + series;
  return x < 0.0 ? -result : result;
}

float hekla_atan2(float y, float x) {
  uint bits_y = floatBitsToUint(y);
  uint bits_x = floatBitsToUint(x);
  if (max(bits_y & 0x7FFFFFFFu, bits_x & 0x7FFFFFFFu) > 0x7F800000u) return uintBitsToFloat(0x7FC00000u);
  float large = max(abs(x), abs(y));
  float small = min(abs(x), abs(y));
  // Two infinities count as equal, two zeros as a horizontal.
  float ratio = large == 0.0 ? 0.0 : (small == large ? 1.0 : small / large);
  float angle = hekla_atan(ratio);
  if (abs(y) > abs(x)) angle = 1.5707964 - angle;
  if (bits_x >= 0x80000000u) angle = 3.1415927 - angle;
  return bits_y >= 0x80000000u ? -angle : angle;
}
