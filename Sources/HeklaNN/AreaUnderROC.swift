import HeklaTensors

/// The area under the receiver operating characteristic: how often a positive has a larger score than a
/// negative.
///
/// By the ranks of the positives, of which equal scores share the middle one. NaN where one class has no
/// example. Source: Fawcett 2006, "An introduction to ROC analysis", section 7.
/// - Parameters:
///   - scores: `float32` of shape `[..., n]`.
///   - labels: `bool` of that shape, true for positives.
/// - Returns: Shape `[...]`.
public func areaUnderROC(
  scores: Tensor, labels: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    scores.rank >= 1 && scores.shape == labels.shape && labels.elementType == .bool,
    "area-under-roc: scores \(scores.signature) need bool labels of that shape, not \(labels.signature)",
    file: file, line: line)
  let sorted = scores.sorted()
  // How many scores are less, and how many are less or equal: the rank from 0 is the middle less a half.
  let (less, most) = (sorted.searchSorted(scores), sorted.searchSorted(scores, afterEquals: true))
  let ranks = Tensor.map(less, most) { 0.5 * ($0 + $1).converted(to: .float32) - 0.5 }
  let positives = labels.converted(to: .float32)
  let (count, rest) = (positives.sum(along: -1), (1 - positives).sum(along: -1))
  // Means instead of sums, which for many scores would pass what float32 tells apart.
  return .map((ranks * positives).sum(along: -1), count, rest) { sum, count, rest in
    (sum / count - 0.5 * (count - 1)) / rest
  }
}
