import HeklaArrays
import HeklaTensors

/// The squared difference.
///
/// - Parameters:
///   - predictions: Of any shape.
///   - targets: Of the same shape and type.
///   - reduction: What becomes of the losses of single elements.
/// - Returns: Rank 0, or the predictions' shape without reduction.
public func meanSquaredError(
  _ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  requireAlike(predictions, targets, for: "mean-squared-error", file: file, line: line)
  return reduction((predictions - targets).squared())
}

/// Half the squared difference where it is small, a multiple of the absolute difference where it is large.
///
/// Source: Huber 1964, "Robust estimation of a location parameter".
/// - Parameters:
///   - predictions: Of any shape.
///   - targets: Of the same shape and type.
///   - threshold: The difference where one form goes over into the other; the slope stays at it from there.
///   - reduction: What becomes of the losses of single elements.
/// - Returns: Rank 0, or the predictions' shape without reduction.
public func huberLoss(
  _ predictions: Tensor, _ targets: Tensor, threshold: Double = 1, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  requireAlike(predictions, targets, for: "huber-loss", file: file, line: line)
  require(
    threshold > 0, "huber-loss: the threshold is \(threshold); it must be positive", file: file, line: line)
  return reduction(
    .map(predictions, targets) { prediction, target in
      let difference = prediction - target
      let size = Scalar.absolute(difference)
      let linear = Scalar(threshold) * (size - Scalar(threshold / 2))
      return .select(size .<= Scalar(threshold), 0.5 * difference * difference, linear)
    })
}

/// The Euclidean norm of the difference as a share of the target's, for each example.
///
/// - Parameters:
///   - predictions: Shape `[examples, ...]`.
///   - targets: Of the same shape and type; none is all 0.
///   - isSquared: Whether both norms are squared.
///   - reduction: What becomes of the errors of single examples.
/// - Returns: Rank 0, or shape `[examples]` without reduction.
public func relativeError(
  _ predictions: Tensor, _ targets: Tensor, isSquared: Bool = false, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  requireAlike(predictions, targets, for: "relative-error", file: file, line: line)
  require(predictions.rank >= 1, "relative-error: a number is no list of examples", file: file, line: line)
  let axes = Array(1..<predictions.rank)
  let difference = predictions - targets
  return reduction(
    isSquared
      ? difference.squared().sum(along: axes) / targets.squared().sum(along: axes)
      : difference.norm(along: axes) / targets.norm(along: axes))
}

/// The negative logarithm of the normal density of `targets`.
///
/// - Parameters:
///   - targets: Of any shape.
///   - mean: Of the same shape and type.
///   - logVariance: The logarithm of the variance, of the same shape and type.
///   - reduction: What becomes of the losses of single elements.
/// - Returns: Rank 0, or the targets' shape without reduction.
public func normalNegativeLogLikelihood(
  of targets: Tensor, mean: Tensor, logVariance: Tensor, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  requireAlike(mean, targets, for: "normal-likelihood", file: file, line: line)
  requireAlike(logVariance, targets, for: "normal-likelihood", file: file, line: line)
  return reduction(
    .map(targets, mean, logVariance) { y, mean, logVariance in
      let difference = y - mean
      // Half the logarithm of 2 pi.
      return 0.5 * (logVariance + difference * difference * .exp(-logVariance)) + 0.918_938_533_204_672_742
    })
}

private func requireAlike(
  _ predictions: Tensor, _ targets: Tensor, for operation: String, file: StaticString, line: UInt
) {
  require(
    predictions.signature == targets.signature,
    "\(operation): predictions \(predictions.signature) and targets \(targets.signature) must be alike",
    file: file, line: line)
}
