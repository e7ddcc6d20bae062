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

private func requireAlike(
  _ predictions: Tensor, _ targets: Tensor, for operation: String, file: StaticString, line: UInt
) {
  require(
    predictions.signature == targets.signature,
    "\(operation): predictions \(predictions.signature) and targets \(targets.signature) must be alike",
    file: file, line: line)
}
