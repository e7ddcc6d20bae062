import HeklaArrays

extension Tensor {
  /// `axes` normalized, all when nil, and how many elements lie along them.
  private func reducedAxes(_ axes: [Int]?) -> (axes: [Int], count: Int) {
    let axes = (axes ?? Array(0..<rank)).map { shape.normalized(axis: $0) }
    return (axes, axes.reduce(1) { $0 * shape.extents[$1] })
  }

  private func droppingAxes(_ axes: [Int], of kept: Tensor, unless keepingAxes: Bool) -> Tensor {
    keepingAxes ? kept : kept.reshaped(to: shape.reduced(along: axes, keepingAxes: false))
  }

  /// The product along `axes`, along all when nil; its gradient divides by nothing, so it is right where elements
  /// are 0.
  public func product(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let (axes, _) = reducedAxes(axes)
    let kept = axes.reduce(self) { $0.product(along: $1, keepingAxes: true) }
    return droppingAxes(axes, of: kept, unless: keepingAxes)
  }

  /// Whether an element along `axes` is true, or not 0; a `bool`.
  public func any(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    (elementType == .bool ? self : self .!= 0).converted(to: .int32)
      .maximum(along: axes, keepingAxes: keepingAxes) .> 0
  }

  /// Whether all elements along `axes` are true, or not 0; a `bool`. True where there are none.
  public func all(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    .!(.!(elementType == .bool ? self : self .!= 0)).any(along: axes, keepingAxes: keepingAxes)
  }

  /// The number of elements along `axes` that are true, or not 0; `int32`.
  public func countNonzero(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    (elementType == .bool ? self : self .!= 0).converted(to: .int32).sum(
      along: axes, keepingAxes: keepingAxes)
  }

  /// The variance along `axes` about the mean, divided by their number of elements less `degreesOfFreedom`.
  public func variance(
    along axes: [Int]?, keepingAxes: Bool = false, degreesOfFreedom: Int = 0
  ) -> Tensor {
    let (axes, count) = reducedAxes(axes)
    let centered = self - mean(along: axes, keepingAxes: true)
    return centered.squared().sum(along: axes, keepingAxes: keepingAxes) / Double(count - degreesOfFreedom)
  }

  /// The square root of the variance; its gradient is infinite where the variance is 0.
  public func standardDeviation(
    along axes: [Int]? = nil, keepingAxes: Bool = false, degreesOfFreedom: Int = 0
  ) -> Tensor {
    variance(along: axes, keepingAxes: keepingAxes, degreesOfFreedom: degreesOfFreedom).squareRoot()
  }

  /// The mean of (x - mean)^`order` along `axes`.
  public func centralMoment(_ order: Int, along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let (axes, _) = reducedAxes(axes)
    require(order >= 1, "moment: the order \(order) must be positive")
    let centered = self - mean(along: axes, keepingAxes: true)
    let power = centered.map { x in (1..<order).reduce(x) { result, _ in result * x } }
    return power.mean(along: axes, keepingAxes: keepingAxes)
  }

  /// The mean along `axes` weighted with `weights`, which broadcast: sum(w x) / sum(w).
  public func weightedMean(
    _ weights: Tensor, along axes: [Int]? = nil, keepingAxes: Bool = false
  ) -> Tensor {
    let (axes, _) = reducedAxes(axes)
    let weights = weights.broadcast(to: shape)
    return (self * weights).sum(along: axes, keepingAxes: keepingAxes)
      / weights.sum(along: axes, keepingAxes: keepingAxes)
  }

  /// The logarithm of the sum of exponentials along `axes`, without overflow; -infinity where all elements are.
  public func logSumExp(along axes: [Int]?, keepingAxes: Bool = false) -> Tensor {
    let (axes, _) = reducedAxes(axes)
    // The shift cancels, so no gradient flows through it; one that is infinite would make NaN of the difference.
    let largest = maximum(along: axes, keepingAxes: true).stoppingGradient()
    let shift = largest.map { .select(.isFinite($0), $0, 0) }
    let kept = (self - shift).exp().sum(along: axes, keepingAxes: true).log() + shift
    return droppingAxes(axes, of: kept, unless: keepingAxes)
  }

  /// The sum along `axes` of numbers that are given by their signs and the logarithms of their absolute values.
  ///
  /// - Parameters:
  ///   - signs: -1, 0 or 1 for each element; shapes broadcast.
  ///   - axes: Along which to sum, along all when nil.
  ///   - keepingAxes: Whether the result keeps them, with an extent of 1.
  /// - Returns: The logarithm of the sum's absolute value, -infinity where the sum is 0, and its sign.
  public func logSumExp(
    signs: Tensor, along axes: [Int]? = nil, keepingAxes: Bool = false
  ) -> (logarithm: Tensor, sign: Tensor) {
    let (axes, _) = reducedAxes(axes)
    let largest = maximum(along: axes, keepingAxes: true).stoppingGradient()
    let shift = largest.map { .select(.isFinite($0), $0, 0) }
    let sum = (signs * (self - shift).exp()).sum(along: axes, keepingAxes: true)
    let logarithm = Tensor.map(sum, shift) { .log(.absolute($0)) + $1 }
    return (
      droppingAxes(axes, of: logarithm, unless: keepingAxes),
      droppingAxes(axes, of: sum.sign(), unless: keepingAxes)
    )
  }

  // MARK: Norms

  /// Which norm of a vector.
  public enum Norm: Sendable, Hashable {
    /// The sum of absolute values.
    case l1
    /// The Euclidean length.
    case l2
    /// (sum |x|^p)^(1/p).
    case power(Double)
    /// The largest absolute value.
    case maximum
  }

  /// The norm of the elements along `axes`, of all when nil.
  ///
  /// The gradient of `.l2` is 0, not NaN, where all elements are 0.
  public func norm(_ kind: Norm = .l2, along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    switch kind {
    case .l1: return absolute().sum(along: axes, keepingAxes: keepingAxes)
    case .l2:
      return squared().sum(along: axes, keepingAxes: keepingAxes).map {
        // The square root only of what is not 0, so that 0 gets no infinite slope.
        .select($0 .== 0, 0, .sqrt(.select($0 .== 0, 1, $0)))
      }
    case .power(let exponent):
      require(exponent > 0, "norm: the exponent \(exponent) must be positive")
      return absolute().map { .power($0, Scalar(exponent)) }.sum(along: axes, keepingAxes: keepingAxes)
        .map { .power($0, Scalar(1 / exponent)) }
    case .maximum: return absolute().maximum(along: axes, keepingAxes: keepingAxes)
    }
  }

  /// The vectors along `axis` at Euclidean length 1; those shorter than `epsilon` are divided by it.
  public func normalized(along axis: Int = -1, epsilon: Double = 1e-12) -> Tensor {
    .map(self, norm(along: [axis], keepingAxes: true)) { $0 / .maximum($1, Scalar(epsilon)) }
  }

  /// The cosine of the angle between vectors along `axis`; shapes broadcast. 0 where a vector is 0.
  public func cosineSimilarity(_ other: Tensor, along axis: Int = -1, epsilon: Double = 1e-8) -> Tensor {
    (normalized(along: axis, epsilon: epsilon) * other.normalized(along: axis, epsilon: epsilon)).sum(
      along: axis)
  }

  /// The squared Euclidean distances of all rows of this tensor to all rows of `other`.
  ///
  /// By |x|^2 - 2 x y + |y|^2, one matrix product; what cancels for close rows is cut at 0. For distances much
  /// smaller than the rows use `pairwiseDistances`.
  /// - Parameter other: `[..., m, d]` for a tensor `[..., n, d]`.
  /// - Returns: `[..., n, m]`.
  public func squaredDistances(to other: Tensor) -> Tensor {
    let products = matrixProduct(other.transposed())
    let mine = squared().sum(along: -1, keepingAxes: true)
    let theirs = other.squared().sum(along: -1).expanded(at: -2)
    return .map(products, mine, theirs) { product, x, y in .maximum(x + y - 2 * product, 0) }
  }

  /// The distances of all rows of this tensor to all rows of `other`, from the differences themselves.
  /// - Parameters:
  ///   - other: `[..., m, d]` for a tensor `[..., n, d]`.
  ///   - norm: What distances are measured by.
  /// - Returns: `[..., n, m]`.
  public func pairwiseDistances(to other: Tensor, norm: Norm = .l2) -> Tensor {
    (expanded(at: -2) - other.expanded(at: -3)).norm(norm, along: [-1])
  }
}
