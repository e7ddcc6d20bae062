import HeklaArrays
import HeklaTensors

/// log cosh of the difference: nearly half its square where it is small, its absolute value less log 2 where large.
///
/// - Parameters:
///   - predictions: Of any shape.
///   - targets: Of the same shape and type.
///   - reduction: What becomes of the losses of single elements.
public func logCoshLoss(_ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean) -> Tensor
{
  requireAlike(predictions, targets, for: "log-cosh-loss")
  return reduction(
    .map(predictions, targets) { x, y in
      // |d| + log(1 + e^(-2|d|)) - log 2, as softplus of 2d less d, so that the derivative at 0 is 0.
      let difference = x - y
      return .softplus(2 * difference) - difference - 0.693_147_180_559_945_309
    })
}

/// The absolute difference.
public func meanAbsoluteError(_ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean)
  -> Tensor
{
  requireAlike(predictions, targets, for: "mean-absolute-error")
  return reduction((predictions - targets).absolute())
}

/// max(0, 1 - y s) for scores s and labels y, which are -1 or 1. Source: Cortes & Vapnik 1995.
public func hingeLoss(_ scores: Tensor, labels: Tensor, reduction: LossReduction = .mean) -> Tensor {
  requireAlike(scores, labels, for: "hinge-loss")
  return reduction(.map(scores, labels) { score, label in .maximum(1 - label * score, 0) })
}

/// 1 - cos of the angle between the vectors of two tensors for equal pairs, max(0, cos - margin) for others.
///
/// - Parameters:
///   - left: Shape `[..., width]`.
///   - right: Of the same shape and type.
///   - isSame: `bool` of shape `[...]`; all pairs count as equal when nil.
///   - margin: The cosine up to which other pairs cost nothing.
///   - reduction: What becomes of the pairs' losses.
public func cosineLoss(
  _ left: Tensor, _ right: Tensor, isSame: Tensor? = nil, margin: Double = 0, reduction: LossReduction = .mean
) -> Tensor {
  requireAlike(left, right, for: "cosine-loss")
  let cosine = left.cosineSimilarity(right)
  guard let isSame else { return reduction(1 - cosine) }
  return reduction(.map(isSame, cosine) { .select($0, 1 - $1, .maximum($1 - Scalar(margin), 0)) })
}

/// max(0, |a - p| - |a - n| + margin): anchors closer to positives than to negatives.
///
/// Source: Schroff et al. 2015, "FaceNet", section 3.1, with distances in place of their squares.
/// - Parameters:
///   - anchors: Shape `[..., width]`.
///   - positives: Of the same shape and type.
///   - negatives: Of the same shape and type.
///   - margin: How much closer positives are to be.
///   - norm: What distances are measured by.
///   - reduction: What becomes of the triplets' losses.
public func tripletLoss(
  anchors: Tensor, positives: Tensor, negatives: Tensor, margin: Double = 1, norm: Tensor.Norm = .l2,
  reduction: LossReduction = .mean
) -> Tensor {
  requireAlike(anchors, positives, for: "triplet-loss")
  requireAlike(anchors, negatives, for: "triplet-loss")
  let near = (anchors - positives).norm(norm, along: [-1])
  let far = (anchors - negatives).norm(norm, along: [-1])
  return reduction(.map(near, far) { .maximum($0 - $1 + Scalar(margin), 0) })
}

/// The negative logarithm of each label's probability, whose logarithms are given.
///
/// - Parameters:
///   - logProbabilities: Shape `[..., classes]`, such as `logSoftmax()` gives.
///   - labels: `int32` of shape `[...]`, each in `0..<classes`.
///   - reduction: What becomes of the labels' losses.
public func negativeLogLikelihood(
  logProbabilities: Tensor, labels: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  require(
    logProbabilities.rank >= 1 && labels.elementType == .int32
      && labels.shape.extents == logProbabilities.shape.extents.dropLast(),
    "negative-log-likelihood: \(logProbabilities.signature) need int32 labels of that shape without the innermost "
      + "axis, not \(labels.signature)",
    file: file, line: line)
  let picked = Tensor.map(logProbabilities, labels.expanded(at: -1)) { logarithm, label in
    .select(.coordinate(logProbabilities.rank - 1) .== label, logarithm, 0)
  }
  return reduction(-picked.sum(along: -1))
}

/// The Kullback-Leibler divergence sum p (log p - log q) along the innermost axis; where p is 0, nothing.
///
/// - Parameters:
///   - targets: p, shape `[..., classes]`.
///   - logProbabilities: log q, of the same shape and type.
///   - reduction: What becomes of the distributions' divergences.
/// - Returns: Rank 0, or shape `[...]` without reduction.
public func klDivergence(
  of targets: Tensor, from logProbabilities: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  requireAlike(targets, logProbabilities, for: "kl-divergence")
  let terms = Tensor.map(targets, logProbabilities) { p, logarithm in
    .select(p .> 0, p * (.log(.select(p .> 0, p, 1)) - logarithm), 0)
  }
  return reduction(terms.sum(along: -1))
}

private func requireAlike(_ first: Tensor, _ second: Tensor, for operation: String) {
  require(
    first.signature == second.signature,
    "\(operation): \(first.signature) and \(second.signature) must be alike")
}
