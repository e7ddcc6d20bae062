extension [Double] {
  /// The middle of the sorted values, or the mean of the middle two; NaN where there are none.
  package var median: Double {
    guard !isEmpty else { return .nan }
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
