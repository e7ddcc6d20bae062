import HeklaArrays

/// Random parts of a data set, such as training, validation and test.
public enum DataSplit {
  /// Disjoint lists of rows, `counts[i]` rows in the one at `i`, drawn without replacement from `0..<total`.
  ///
  /// All rows are shuffled by `key` and dealt out from the front, so a change of a later count leaves the
  /// earlier parts as they are. Rows beyond the sum of `counts` are in no part. Classes are not balanced.
  public static func rows(of total: Int, counts: [Int], key: RandomKey) throws(DataError) -> [[Int]] {
    var rest = total
    for count in counts {
      guard count >= 0, count <= rest else { throw .impossibleSplit(requested: counts, available: total) }
      rest -= count
    }
    var shuffled = key.permutation(of: total)[...]
    return counts.map { count in
      defer { shuffled = shuffled.dropFirst(count) }
      return Array(shuffled.prefix(count))
    }
  }
}
