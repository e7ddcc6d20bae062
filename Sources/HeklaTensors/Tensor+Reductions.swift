import HeklaArrays
import HeklaDevices

extension Tensor {
  private func reduced(_ fold: Loop.Fold, along axes: [Int]?, keepingAxes: Bool) -> Tensor {
    let axes = (axes ?? Array(0..<rank)).map { shape.normalized(axis: $0) }.sorted()
    guard !axes.isEmpty else { return fold.isPosition ? .zeros(shape, .int32) : self }
    require(Set(axes).count == axes.count, "\(fold.operationName): an axis is named twice in \(axes)")
    let result = Tensor(Reduction(fold: fold, axes: axes), [self])
    return keepingAxes ? result.reshaped(to: shape.reduced(along: axes, keepingAxes: true)) : result
  }

  /// The sum along `axes`, along all when nil; the axes disappear or stay with extent 1.
  public func sum(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.sum, along: axes, keepingAxes: keepingAxes)
  }

  /// The sum along `axis`.
  public func sum(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    sum(along: [axis], keepingAxes: keepingAxes)
  }

  /// The arithmetic mean along `axes`, along all when nil; 0 where there are no elements.
  public func mean(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    let count = (axes ?? Array(0..<rank)).reduce(1) { $0 * shape[$1] }
    return sum(along: axes, keepingAxes: keepingAxes) * (1 / Double(max(count, 1)))
  }

  /// The arithmetic mean along `axis`.
  public func mean(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    mean(along: [axis], keepingAxes: keepingAxes)
  }

  /// The product along `axis`.
  public func product(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    reduced(.product, along: [axis], keepingAxes: keepingAxes)
  }

  /// The largest element along `axes`, along all when nil; NaN where one is NaN.
  public func maximum(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.maximum, along: axes, keepingAxes: keepingAxes)
  }

  /// The largest element along `axis`.
  public func maximum(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    maximum(along: [axis], keepingAxes: keepingAxes)
  }

  /// The smallest element along `axes`, along all when nil; NaN where one is NaN.
  public func minimum(along axes: [Int]? = nil, keepingAxes: Bool = false) -> Tensor {
    reduced(.minimum, along: axes, keepingAxes: keepingAxes)
  }

  /// The smallest element along `axis`.
  public func minimum(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    minimum(along: [axis], keepingAxes: keepingAxes)
  }

  /// The position along `axis` of the largest element, the first of equals; `int32`.
  public func argumentMaximum(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    reduced(.argumentMaximum, along: [axis], keepingAxes: keepingAxes)
  }

  /// The position along `axis` of the smallest element, the first of equals; `int32`.
  public func argumentMinimum(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    reduced(.argumentMinimum, along: [axis], keepingAxes: keepingAxes)
  }

  /// The variance along `axis` about the mean, divided by the extent less `degreesOfFreedom`.
  public func variance(along axis: Int, keepingAxes: Bool = false, degreesOfFreedom: Int = 0) -> Tensor {
    let centered = self - mean(along: axis, keepingAxes: true)
    return centered.squared().sum(along: axis, keepingAxes: keepingAxes)
      / Double(shape[axis] - degreesOfFreedom)
  }

  /// The logarithm of the sum of exponentials along `axis`, without overflow.
  public func logSumExp(along axis: Int, keepingAxes: Bool = false) -> Tensor {
    // The shift cancels, so no gradient flows through it.
    let shift = maximum(along: axis, keepingAxes: true).stoppingGradient()
    let result = (self - shift).exp().sum(along: axis, keepingAxes: true).log() + shift
    return keepingAxes
      ? result : result.reshaped(to: shape.reduced(along: [shape.normalized(axis: axis)], keepingAxes: false))
  }

  /// Exponentials divided by their sum along `axis`.
  public func softmax(along axis: Int = -1) -> Tensor {
    let shift = maximum(along: axis, keepingAxes: true).stoppingGradient()
    let weights = (self - shift).exp()
    return weights / weights.sum(along: axis, keepingAxes: true)
  }

  /// The logarithm of `softmax(along:)`, without cancellation.
  public func logSoftmax(along axis: Int = -1) -> Tensor { self - logSumExp(along: axis, keepingAxes: true) }
}
