import HeklaArrays

/// Which of `count` elements to look at: all if they are at most `limit`, else the first, the last and others from
/// all over, `limit` or some fewer in all, in order; always the same.
/// - Precondition: `count` is at most 2^32.
func sampledPositions(of count: Int, atMost limit: Int) -> [Int] {
  guard count > limit else { return Array(0..<count) }
  let key = RandomKey(seed: 0).folded(in: "sample")
  var positions: Set<Int> = [0, count - 1]
  // The upper half of a 64-bit product: every position can be drawn.
  for draw in 0..<max(limit - 2, 0) {
    positions.insert(Int((UInt64(key.word(at: draw)) * UInt64(count)) >> 32))
  }
  return positions.sorted()
}
