import Foundation
import HeklaArrays
import HeklaTensors

/// Exact regression by a Gaussian process of known covariance, for batches of data sets, by Cholesky factors.
///
/// Which rows are observed is a mask, so that one compiled step serves any number of them: a row that is not
/// observed counts as independent of all others. Source: Rasmussen & Williams 2006, "Gaussian processes for
/// machine learning", algorithm 2.1.
public struct GaussianProcess: Sendable {
  /// The covariance of the function's values, without noise, `[..., T, T]`.
  public let covariance: Tensor
  /// The variance of the noise that observations have, which is positive.
  public let noise: Double

  /// A process of mean 0 with this covariance, observed with noise.
  public init(covariance: Tensor, noise: Double, file: StaticString = #fileID, line: UInt = #line) {
    require(
      covariance.rank >= 2 && covariance.shape[-1] == covariance.shape[-2] && noise > 0,
      "gaussian-process: the covariance \(covariance.signature) must be [..., T, T], the noise \(noise) positive",
      file: file, line: line)
    (self.covariance, self.noise) = (covariance, noise)
  }

  /// A process with the covariance exp(-|x - x'|^2 / (2 l^2)).
  /// - Parameters:
  ///   - x: Shape `[..., T, F]`.
  ///   - lengthScale: l; broadcasts to `[..., T, T]`.
  ///   - noise: The variance of the noise.
  public init(squaredExponentialOf x: Tensor, lengthScale: Tensor, noise: Double) {
    // From the differences themselves: the squares of close rows cancel.
    let distances = (x.expanded(at: -2) - x.expanded(at: -3)).squared().sum(along: -1)
    self.init(
      covariance: .map(distances, lengthScale) { .exp(-0.5 * $0 / ($1 * $1)) }, noise: noise)
  }

  /// Observations y of all T rows, noise included, `[..., T]`.
  public func sample(key: some RandomSource) -> Tensor {
    let normal = Tensor.normal(Shape(Array(covariance.shape.extents.dropLast())), key: key.keyTensor)
    return noisy.cholesky().vectorProduct(normal)
  }

  /// Normal distributions of single numbers.
  public struct Prediction: Sendable {
    /// Their means and their variances, of one shape.
    public let mean, variance: Tensor

    /// Normal distributions with these means and variances, of one shape.
    public init(mean: Tensor, variance: Tensor) { (self.mean, self.variance) = (mean, variance) }

    /// -log p(y) at each element, in nats.
    public func negativeLogDensity(at y: Tensor) -> Tensor {
      .map(mean, variance, y) { mean, variance, y in
        0.5 * ((y - mean) * (y - mean) / variance + .log(Scalar(2 * Double.pi) * variance))
      }
    }
  }

  /// What is known of a new observation at each row, noise included, `[..., T]`.
  /// - Parameters:
  ///   - y: The observations, `[..., T]`; those that are not observed are not read.
  ///   - isObserved: `bool`; broadcasts to `[..., T]`.
  public func prediction(from y: Tensor, where isObserved: Tensor) -> Prediction {
    let (factor, residual) = conditioned(y, isObserved)
    let between = Tensor.map(isObserved.expanded(at: -1), covariance) { .select($0, $1, 0) }
    return predicted(factor, between, residual)
  }

  /// The same where the first rows are those observed: matrices are no larger than they are many.
  /// - Parameter y: Their observations, `[..., n]`, n at most T.
  public func prediction(
    fromFirst y: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Prediction {
    let count = y.shape.extents.last ?? 0
    require(
      count > 0 && count <= covariance.shape[-1],
      "gaussian-process: observations \(y.shape) of a process of \(covariance.shape[-1]) rows", file: file,
      line: line)
    let between = covariance.sliced(0..<count, along: -2)
    let own = GaussianProcess(covariance: between.sliced(0..<count, along: -1), noise: noise)
    return predicted(own.noisy.cholesky(), between, y.expanded(at: -1))
  }

  /// log p(y) of all rows, `[...]`, with gradients for the covariance.
  /// - Parameter y: The observations, `[..., T]`.
  public func logMarginalLikelihood(of y: Tensor) -> Tensor {
    let count = Tensor.full([], Double(covariance.shape[-1]), y.elementType)
    return logDensity(noisy.cholesky(), y.expanded(at: -1), count: count)
  }

  /// log p(y) of the observed rows, `[...]`, with gradients for the covariance.
  /// - Parameters:
  ///   - y: The observations, `[..., T]`.
  ///   - isObserved: `bool`; broadcasts to `[..., T]`.
  public func logMarginalLikelihood(of y: Tensor, where isObserved: Tensor) -> Tensor {
    let (factor, residual) = conditioned(y, isObserved)
    // A row that is not observed has 1 on the diagonal, whose logarithm counts for nothing.
    let count = isObserved.converted(to: y.elementType).broadcast(to: y.shape).sum(along: -1)
    return logDensity(factor, residual, count: count)
  }

  /// The covariance of observations.
  private var noisy: Tensor {
    covariance + Tensor.identity(covariance.shape[-1], covariance.elementType) * noise
  }

  /// log p of residuals `[..., n, 1]`, `count` of them observed, whose covariance has this factor.
  private func logDensity(_ factor: Tensor, _ residual: Tensor, count: Tensor) -> Tensor {
    let squares = factor.triangularSolve(residual).squared().sum(along: [-2, -1])
    return -0.5 * (squares + 2 * factor.diagonal().log().sum(along: -1) + count * log(2 * Double.pi))
  }

  /// Predictions at T rows by the factor of observations, their covariance with the rows, `[..., n, T]`, and
  /// what was observed, `[..., n, 1]`.
  private func predicted(_ factor: Tensor, _ between: Tensor, _ residual: Tensor) -> Prediction {
    let solved = factor.triangularSolve(.concatenating([between, residual], along: -1))
    let count = covariance.shape[-1]
    let (v, alpha) = (solved.sliced(0..<count, along: -1), solved.sliced(count..<(count + 1), along: -1))
    let variance = Tensor.map(covariance.diagonal(), v.squared().sum(along: -2)) {
      // Never below the noise, whatever rounding does to the difference.
      .maximum($0 - $1, 0) + Scalar(noise)
    }
    return Prediction(mean: (v * alpha).sum(along: -2), variance: variance)
  }

  /// The factor of the observed rows' covariance, 1 on the diagonal of the others, and y, `[..., T, 1]`,
  /// with 0 there.
  private func conditioned(_ y: Tensor, _ isObserved: Tensor) -> (factor: Tensor, residual: Tensor) {
    let rank = covariance.rank
    let matrix = Tensor.map([covariance, isObserved.expanded(at: -1), isObserved.expanded(at: -2)]) { x in
      let isDiagonal = Scalar.apply(.equal, [.coordinate(rank - 2), .coordinate(rank - 1)])
      let observed = Scalar.select(isDiagonal, x[0] + Scalar(noise), x[0])
      return .select(x[1] .& x[2], observed, .select(isDiagonal, .constant(1, x[0].type), 0))
    }
    let residual = Tensor.map(isObserved, y) { .select($0, $1, 0) }
    return (matrix.cholesky(), residual.expanded(at: -1))
  }
}
