// The order of Jacobi's rotations: in each of size - 1 rounds, size even, all of 0 ..< size are in one pair, and
// after the rounds every two have met once. Source: Brent and Luk 1985, "The solution of singular-value and symmetric
// eigenvalue problems on multiprocessor arrays"; the circle of round-robin tournaments.
uvec2 rotation_pair(uint pair, uint round, uint size) {
  uint others = size - 1;
  uint ahead = round + pair;
  uint behind = round + others - pair;
  return uvec2(
    pair == 0 ? others : (ahead < others ? ahead : ahead - others), behind < others ? behind : behind - others);
}
