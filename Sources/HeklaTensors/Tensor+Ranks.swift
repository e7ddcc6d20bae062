import HeklaArrays

/// What follows from the order of elements: masks of the largest, quantiles, ranks.
extension Tensor {
  /// True at the `count` largest elements along `axis`, a `bool` of the tensor's shape.
  ///
  /// Of equal elements the first are taken; NaN counts as minus infinity. What winners-take-all multiplies with.
  /// - Parameters:
  ///   - count: At most the extent of the axis.
  ///   - axis: Along which to look.
  ///   - smallest: Whether the smallest are wanted; NaN then counts as infinity.
  public func topKMask(_ count: Int, along axis: Int = -1, smallest: Bool = false) -> Tensor {
    require(
      count >= 0 && count <= shape[axis], "topK: \(count) elements of \(shape) along axis \(axis)")
    guard count > 0, shape.count > 0 else { return Tensor.full(shape, 0, .bool) }
    let worst = smallest ? Double.infinity : -.infinity
    let numbers = elementType.isFloating ? filled(with: worst, where: isNaN()).stoppingGradient() : self
    let threshold = numbers.topK(count, along: axis, smallest: smallest).values
      .sliced((count - 1)..<count, along: axis)
    let isBeyond = smallest ? numbers .< threshold : numbers .> threshold
    let isEqual = numbers .== threshold
    // Whoever lies beyond is in; the places that are left go to the first that equal the threshold.
    let left = isBeyond.countNonzero(along: [axis], keepingAxes: true).map {
      .constant(Double(count), .int32) - $0
    }
    let position = isEqual.converted(to: .int32).cumulativeSum(along: axis)
    return isBeyond .| (isEqual .& (position .<= left))
  }

  /// The quantiles along `axis`, between two elements in proportion, as NumPy's default.
  ///
  /// - Parameters:
  ///   - shares: Each in 0...1; 0.5 is the median.
  ///   - axis: Along which; its extent becomes the number of shares.
  /// - Returns: The tensor's shape but for the axis. The gradient goes to the elements between which a quantile lies.
  public func quantiles(
    _ shares: [Double], along axis: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let axis = shape.normalized(axis: axis)
    let last = shape.extents[axis] - 1
    require(
      last >= 0 && shares.allSatisfy { (0...1).contains($0) } && elementType.isFloating,
      "quantiles: \(shares) of \(signature) along axis \(axis)", file: file, line: line)
    let places = shares.map { $0 * Double(last) }
    let lower = places.map { Int32($0.rounded(.down)) }
    let sorted = sorted(along: axis)
    var extents = [Int](repeating: 1, count: rank)
    extents[axis] = shares.count
    let weights = HostArray(zip(places, lower).map { $0 - Double($1) }, shape: Shape(extents))
    let above = lower.map { min($0 + 1, Int32(last)) }
    return .map(
      sorted.gathered(at: Tensor(lower), along: axis), sorted.gathered(at: Tensor(above), along: axis),
      Tensor(HostArray(converting: weights.doubles(), shape: weights.shape, to: elementType))
    ) { .between($0, $1, at: $2) }
  }

  /// The place of each element in the order along `axis`, from 1; equal elements share the mean of their places.
  /// - Returns: `float32` of the tensor's shape; no gradient flows.
  public func ranks(along axis: Int = -1) -> Tensor {
    let rows = stoppingGradient().movingAxis(axis, to: -1)
    let sorted = rows.sorted()
    let places = Tensor.map(sorted.searchSorted(rows), sorted.searchSorted(rows, afterEquals: true)) {
      ($0 + $1 + 1).converted(to: .float32) * 0.5
    }
    return places.movingAxis(-1, to: axis)
  }

  /// How many different numbers stand along `axis`, `int32`; each NaN counts.
  public func distinctCount(along axis: Int = -1, keepingAxes: Bool = false) -> Tensor {
    let extent = shape[axis]
    guard extent > 0 else {
      return .zeros(shape.reduced(along: [shape.normalized(axis: axis)], keepingAxes: keepingAxes), .int32)
    }
    let sorted = sorted(along: axis)
    let isNew = sorted.sliced(1..<extent, along: axis) .!= sorted.sliced(0..<(extent - 1), along: axis)
    return isNew.countNonzero(along: [axis], keepingAxes: keepingAxes).map { $0 + 1 }
  }

  /// `count` different classes along the innermost axis, drawn one after the other without putting back.
  ///
  /// Each draw is distributed as the softmax of the logits that are left, and the order is that of the draws. By
  /// Gumbel noise and the largest sums. Source: Kool et al. 2019, "Stochastic beams and where to find them",
  /// section 2.3.
  /// - Parameters:
  ///   - count: At most the number of classes.
  ///   - logits: Unnormalized logarithms of probabilities, shape `[..., classes]`; -infinity comes last.
  ///   - key: What the draws are a function of.
  /// - Returns: `int32` of shape `[..., count]`.
  public static func categorical(
    _ count: Int, withoutReplacementFrom logits: Tensor, key: some RandomSource
  ) -> Tensor {
    (logits + gumbel(logits.shape, key: key).converted(to: logits.elementType)).topK(count).positions
  }
}
