import HeklaArrays
import HeklaTensors

/// The entropy, in nats, of the distributions that `logits` are the unnormalized logarithms of.
///
/// - Parameters:
///   - logits: Shape `[..., classes]`; -infinity excludes a class.
///   - reduction: What becomes of the entropies of single distributions.
/// - Returns: Rank 0, or shape `[...]` without reduction.
public func entropy(logits: Tensor, reduction: LossReduction = .mean) -> Tensor {
  let terms = logits.logSoftmax().map { logarithm in
    // A class without probability adds nothing; minus infinity times 0 would be NaN.
    let isPossible = logarithm .> .constant(-.infinity, logarithm.type)
    let held = Scalar.select(isPossible, logarithm, 0)
    return .select(isPossible, -held * .exp(held), 0)
  }
  return reduction(terms.sum(along: -1))
}

/// The Jensen-Shannon divergence, in nats: the mean of both divergences from the mean of two distributions.
///
/// At most log 2. Source: Lin 1991, "Divergence measures based on the Shannon entropy", section 4.
/// - Parameters:
///   - first: Shape `[..., classes]`; probabilities may be 0.
///   - second: Of the same shape and type.
///   - reduction: What becomes of the divergences of single pairs.
/// - Returns: Rank 0, or shape `[...]` without reduction.
public func jensenShannonDivergence(
  _ first: Tensor, _ second: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  require(
    first.signature == second.signature && first.rank >= 1,
    "jensen-shannon-divergence: \(first.signature) and \(second.signature) must be alike", file: file,
    line: line)
  let terms = Tensor.map(first, second) { p, q in
    func term(_ x: Scalar) -> Scalar {
      let held = Scalar.select(x .> 0, x, 1)
      return .select(x .> 0, held * .log(2 * held / .select(x .> 0, p + q, 1)), 0)
    }
    return 0.5 * (term(p) + term(q))
  }
  return reduction(terms.sum(along: -1))
}

/// The Kullback-Leibler divergence, in nats, of normal distributions from others, element by element.
///
/// Source: Kingma & Welling 2014, "Auto-encoding variational Bayes", appendix B, for two normal distributions.
/// - Parameters:
///   - mean: Of any shape.
///   - logVariance: The logarithm of the variance, of the same shape.
///   - otherMean: The mean of the others, which broadcasts; 0 when nil.
///   - otherLogVariance: The logarithm of their variance, which broadcasts; 0 when nil.
///   - reduction: What becomes of the divergences of single elements.
/// - Returns: Rank 0, or the shape of the mean without reduction.
public func normalDivergence(
  mean: Tensor, logVariance: Tensor, fromMean otherMean: Tensor? = nil,
  logVariance otherLogVariance: Tensor? = nil, reduction: LossReduction = .mean
) -> Tensor {
  let zero = Tensor.zeros([], mean.elementType)
  return reduction(
    .map([mean, logVariance, otherMean ?? zero, otherLogVariance ?? zero]) { x in
      let (difference, ratio) = (x[0] - x[2], x[1] - x[3])
      return 0.5 * (.exp(ratio) + difference * difference * .exp(-x[3]) - 1 - ratio)
    })
}
