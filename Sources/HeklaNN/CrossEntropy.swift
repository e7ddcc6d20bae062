import HeklaArrays
import HeklaTensors

/// The cross-entropy between labels and the distributions that `logits` are the unnormalized logarithms of.
///
/// - Parameters:
///   - logits: Shape `[..., classes]`.
///   - labels: `int32` of shape `[...]`, each in `0..<classes`.
///   - smoothing: How much of a label's probability is spread evenly over all classes. Source: Szegedy et al.
///     2016, section 7.
///   - ignoredLabel: Examples with this label count for nothing: not in the sum, and not in the mean's
///     divisor. It may lie outside the classes; any other label that does is not noticed, and counts as one
///     whose logit is the largest.
///   - reduction: What becomes of the losses of single examples, in nats.
/// - Returns: Rank 0, or shape `[...]` without reduction.
public func crossEntropy(
  logits: Tensor, labels: Tensor, smoothing: Double = 0, ignoring ignoredLabel: Int? = nil,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  requireLabels(labels, fit: logits, for: "cross-entropy", file: file, line: line)
  require(
    (0...1).contains(smoothing), "cross-entropy: the smoothing is \(smoothing); it must be in 0...1",
    file: file, line: line)
  let shifted = logits.shiftedToMaximumZero()
  // Comparing class coordinates with labels, instead of gathering, makes this an expression that fuses.
  let picked = Tensor.map(shifted, labels.expanded(at: -1)) { logit, label in
    .select(.coordinate(logits.rank - 1) .== label, logit, 0)
  }.sum(along: -1)
  let normalizer = shifted.exp().sum(along: -1).log()
  var losses = normalizer - picked
  if smoothing > 0 { losses = normalizer - (1 - smoothing) * picked - smoothing * shifted.mean(along: -1) }
  guard let ignoredLabel else { return reduction(losses) }
  losses = .map(losses, labels) { loss, label in
    .select(label .== .constant(Double(ignoredLabel), .int32), 0, loss)
  }
  guard case .mean = reduction else { return reduction(losses) }
  let counted = labels.map { .select($0 .== .constant(Double(ignoredLabel), .int32), 0, 1) }
  return losses.sum() / counted.converted(to: logits.elementType).sum().map { .maximum($0, 1) }
}

/// The cross-entropy between distributions and those that `logits` are the unnormalized logarithms of.
///
/// - Parameters:
///   - logits: Shape `[..., classes]`.
///   - probabilities: Of the same shape; along the innermost axis they usually sum to 1.
///   - reduction: What becomes of the losses of single examples, in nats.
/// - Returns: Rank 0, or shape `[...]` without reduction.
public func crossEntropy(
  logits: Tensor, probabilities: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  require(
    logits.rank >= 1 && logits.signature == probabilities.signature,
    "cross-entropy: logits \(logits.signature) and probabilities \(probabilities.signature) must be alike",
    file: file, line: line)
  let shifted = logits.shiftedToMaximumZero()
  let normalizer = shifted.exp().sum(along: -1, keepingAxes: true).log()
  return reduction((probabilities * (normalizer - shifted)).sum(along: -1))
}

/// The cross-entropy between targets and the probabilities that `logits` are the log-odds of.
///
/// Computed as softplus(z) - y z, which neither overflows nor loses the small probabilities.
/// - Parameters:
///   - logits: Of any shape.
///   - targets: Of the same shape and type, each in 0...1.
///   - positiveWeight: What the part of the loss that is due to positive targets is multiplied with, a number for
///     each label or of rank 0; nil is 1.
///   - reduction: What becomes of the losses of single elements, in nats.
/// - Returns: Rank 0, or the logits' shape without reduction.
public func binaryCrossEntropy(
  logits: Tensor, targets: Tensor, positiveWeight: Tensor? = nil, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    logits.signature == targets.signature,
    "binary-cross-entropy: logits \(logits.signature) and targets \(targets.signature) must be alike",
    file: file, line: line)
  guard let positiveWeight else { return reduction(.map(logits, targets) { z, y in .softplus(z) - y * z }) }
  return reduction(
    .map(logits, targets, positiveWeight.broadcast(to: logits.shape)) { z, y, weight in
      weight * y * .softplus(-z) + (1 - y) * .softplus(z)
    })
}

/// The share of examples whose largest logit is the label's; of equal logits the first counts.
///
/// - Parameters:
///   - logits: Shape `[..., classes]`.
///   - labels: `int32` of shape `[...]`.
/// - Returns: A `float32` of rank 0.
public func accuracy(
  logits: Tensor, labels: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  requireLabels(labels, fit: logits, for: "accuracy", file: file, line: line)
  return (logits.argumentMaximum(along: -1) .== labels).converted(to: .float32).mean()
}

private func requireLabels(
  _ labels: Tensor, fit logits: Tensor, for operation: String, file: StaticString, line: UInt
) {
  require(
    logits.rank >= 1 && labels.elementType == .int32
      && labels.shape.extents == logits.shape.extents.dropLast(),
    "\(operation): logits \(logits.signature) need int32 labels of that shape without the innermost axis, "
      + "not \(labels.signature)",
    file: file, line: line)
}

extension Tensor {
  /// The numbers less the largest along the innermost axis: exponentials of them cannot overflow.
  ///
  /// The shift cancels in what is computed from it, so no gradient flows through it.
  fileprivate func shiftedToMaximumZero() -> Tensor {
    self - maximum(along: -1, keepingAxes: true).stoppingGradient()
  }
}
