// Words of any sortable type as uint32 keys of the same order. Constants:
// 10 kind (0 float32, 1 int32, 2 uint32), 11 descending.
// Source: Herf, "Radix tricks", 2001; NaN last in both directions, -0 equal to 0.

layout(constant_id = 10) const uint KIND = 0;
layout(constant_id = 11) const bool DESCENDING = false;

uint order_key(uint word) {
  if (KIND == 0) {
    uint magnitude = word & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return 0xFFFFFFFFu;
    if (magnitude == 0) word = 0;
    word = word >= 0x80000000u ? ~word : word | 0x80000000u;
  } else if (KIND == 1) {
    word ^= 0x80000000u;
  }
  return DESCENDING ? ~word : word;
}
