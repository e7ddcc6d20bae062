// 16-bit floats in memory, 32-bit in registers; needs no 16-bit arithmetic on the device.

float hekla_from_float16(uint bits) { return unpackHalf2x16(bits).x; }
uint hekla_to_float16(float x) { return packHalf2x16(vec2(x, 0.0)) & 0xFFFFu; }

float hekla_from_bfloat16(uint bits) { return uintBitsToFloat(bits << 16); }
uint hekla_to_bfloat16(float x) {
  uint bits = floatBitsToUint(x);
  // To nearest, ties to even; NaN keeps a set mantissa bit.
  return (bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16) | 0x40u : (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}
