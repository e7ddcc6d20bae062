import HeklaArrays
import HeklaTensors

/// The area under the receiver operating characteristic: how often a positive example scores above a negative one.
///
/// By the ranks of the positives, of which equal scores share the middle one: the statistic of Mann and Whitney.
/// Source: Hanley & McNeil 1982, "The meaning and use of the area under a ROC curve", section III.
/// - Parameters:
///   - scores: `float32` of shape `[..., examples]`.
///   - labels: `bool` of the same shape, true for positive examples.
/// - Returns: Shape `[...]`, NaN where one kind is missing.
public func areaUnderCurve(
  scores: Tensor, labels: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    scores.rank >= 1 && labels.shape == scores.shape && labels.elementType == .bool,
    "area-under-curve: scores \(scores.signature) need bool labels of that shape, not \(labels.signature)",
    file: file, line: line)
  // Less the mean rank, so that what is summed is small and floats lose little.
  let count = Double(scores.shape[-1])
  let positives = labels.converted(to: .float32)
  let centered = ((scores.ranks(along: -1) - (count + 1) / 2) * positives).sum(along: -1)
  return .map(centered, positives.sum(along: -1)) { sum, positives in
    sum / (positives * (Scalar(count) - positives)) + 0.5
  }
}

/// The correlation of two tensors along `axis`, Pearson's; NaN where one is constant.
/// - Returns: The shape without the axis.
public func correlation(_ first: Tensor, _ second: Tensor, along axis: Int = -1) -> Tensor {
  require(
    first.signature == second.signature,
    "correlation: \(first.signature) and \(second.signature) must be alike")
  let (x, y) = (
    first - first.mean(along: axis, keepingAxes: true), second - second.mean(along: axis, keepingAxes: true)
  )
  return (x * y).sum(along: axis)
    / (x.squared().sum(along: axis).squareRoot() * y.squared().sum(along: axis).squareRoot())
}

/// The correlation of the ranks of two tensors along `axis`, Spearman's, with mean ranks for equal elements.
/// - Returns: The shape without the axis; no gradient flows.
public func rankCorrelation(_ first: Tensor, _ second: Tensor, along axis: Int = -1) -> Tensor {
  correlation(first.ranks(along: axis), second.ranks(along: axis), along: axis)
}

/// The share of the targets' variance that predictions explain: 1 - sum (y - p)^2 / sum (y - mean y)^2, of rank 0.
public func coefficientOfDetermination(_ predictions: Tensor, _ targets: Tensor) -> Tensor {
  require(
    predictions.signature == targets.signature,
    "coefficient-of-determination: \(predictions.signature) and \(targets.signature) must be alike")
  return 1 - (targets - predictions).squared().sum() / (targets - targets.mean()).squared().sum()
}

/// The share of positive examples that score above the negative example with the `count`-th highest score.
///
/// - Parameters:
///   - positives: Scores, of rank 1.
///   - negatives: Scores, of rank 1, at least `count`.
///   - count: Which of the highest negative scores has to be exceeded, from 1.
/// - Returns: A `float32` of rank 0.
public func hitRate(positives: Tensor, negatives: Tensor, above count: Int) -> Tensor {
  require(
    positives.rank == 1 && negatives.rank == 1 && (1...max(negatives.shape[0], 1)).contains(count),
    "hit-rate: \(positives.signature) above number \(count) of \(negatives.signature)")
  let threshold = negatives.topK(count).values.sliced((count - 1)..<count, along: 0)
  return (positives .> threshold).converted(to: .float32).mean()
}
