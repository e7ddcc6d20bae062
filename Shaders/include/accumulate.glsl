// Folding two values of SCALAR: float unless the define says int, uint or, together with WIDE, double.
// Constant 10: 0 sum, 1 product, 2 maximum, 3 minimum; the extrema are NaN where an operand is.

#ifndef SCALAR
#define SCALAR float
#define IS_FLOAT
#endif

layout(constant_id = 10) const uint FOLD = 0;

#ifdef WIDE
#define IS_FLOAT
bool is_nan(SCALAR x) {
  uvec2 bits = unpackDouble2x32(x);
  uint high = bits.y & 0x7FFFFFFFu;
  return high > 0x7FF00000u || (high == 0x7FF00000u && bits.x != 0u);
}
#elif defined(IS_FLOAT)
bool is_nan(SCALAR x) { return (floatBitsToUint(x) & 0x7FFFFFFFu) > 0x7F800000u; }
#endif

// `earlier` and `later` folded.
SCALAR accumulate(SCALAR earlier, SCALAR later) {
  if (FOLD == 0) return earlier + later;
  if (FOLD == 1) return earlier * later;
#ifdef IS_FLOAT
  if (is_nan(earlier)) return earlier;
  if (is_nan(later)) return later;
#endif
  bool isBetter = FOLD == 2 ? later > earlier : later < earlier;
  return isBetter ? later : earlier;
}
