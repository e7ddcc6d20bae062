// What the eigenvalues and singular values share: rounds in which columns meet in pairs, and the rotation of a pair.
// WIDE says that SCALAR is double. Include scalar.glsl before.

// Pair `number` of a round of `count` columns, an even number: in count - 1 rounds every two meet once.
// Source: the circle method of tournaments; Brent and Luk 1985, "The solution of singular-value and symmetric
// eigenvalue problems on multiprocessor arrays", section 2.
uvec2 pair_of(uint number, uint round, uint count) {
  uint others = count - 1;
  if (number == 0) return uvec2(round, others);
  uint first = (round + number) % others;
  uint second = (round + others - number) % others;
  return uvec2(min(first, second), max(first, second));
}

bool is_finite(SCALAR x) {
#ifdef WIDE
  return (unpackDouble2x32(x).y & 0x7FF00000u) != 0x7FF00000u;
#else
  return (floatBitsToUint(x) & 0x7F800000u) != 0x7F800000u;
#endif
}

SCALAR not_a_number() { return SCALAR(uintBitsToFloat(0x7FC00000u)); }

// Columns p and q become c p - s q and s p + c q, with c = 1 - s tau, tau the tangent of half the angle. Written so, a
// cosine that rounds to 1 is not lost, and the columns' lengths do not grow with each of many small turns.
// Source: Rutishauser 1966, "The Jacobi method for real symmetric matrices".
struct Rotation {
  SCALAR s;
  SCALAR tau;
};

SCALAR turned_first(Rotation turn, SCALAR p, SCALAR q) { return p - turn.s * (q + turn.tau * p); }
SCALAR turned_second(Rotation turn, SCALAR p, SCALAR q) { return q + turn.s * (p - turn.tau * q); }

// The smaller of the two angles that make the symmetric matrix of these elements diagonal; NaN where one is not finite.
// Source: Golub and Van Loan 2013, section 8.5.2.
Rotation rotation(SCALAR pp, SCALAR qq, SCALAR pq) {
  if (!(is_finite(pp) && is_finite(qq) && is_finite(pq))) return Rotation(not_a_number(), not_a_number());
  if (pq == SCALAR(0)) return Rotation(SCALAR(0), SCALAR(0));
  // Halves, so that the difference of the largest numbers is one.
  SCALAR ratio = (SCALAR(0.5) * qq - SCALAR(0.5) * pp) / pq;
  SCALAR tangent = (ratio < SCALAR(0) ? SCALAR(-1) : SCALAR(1)) / (abs(ratio) + sqrt(ratio * ratio + SCALAR(1)));
  SCALAR c = SCALAR(1) / sqrt(tangent * tangent + SCALAR(1));
  return Rotation(tangent * c, tangent * c / (SCALAR(1) + c));
}
