import HeklaArrays

/// Reductions that leave elements out: where a mask, a `bool` that broadcasts to the tensor, is false.
extension Tensor {
  /// True at the first `lengths[...]` of `extent` places: which steps of padded sequences are real.
  /// - Parameters:
  ///   - lengths: `int32` of any shape.
  ///   - extent: How many places there are.
  /// - Returns: `bool` of shape `lengths.shape + [extent]`.
  public static func mask(lengths: Tensor, extent: Int) -> Tensor {
    require(lengths.elementType == .int32, "mask: lengths are \(lengths.signature); they must be int32")
    let wide = lengths.expanded(at: -1).broadcast(to: Shape(lengths.shape.extents + [extent]))
    return wide.map { .coordinate(lengths.rank) .< $0 }
  }

  /// Exponentials divided by their sum along `axis`, of the elements where `mask` is true; 0 elsewhere.
  ///
  /// Where the mask leaves nothing, all are 0.
  public func softmax(along axis: Int = -1, where mask: Tensor) -> Tensor {
    let (weights, _) = maskedExponentials(axis, mask)
    // The largest exponential is 1, so a sum below is that of nothing.
    return .map(weights, weights.sum(along: axis, keepingAxes: true)) { $0 / .maximum($1, 0.5) }
  }

  /// The logarithm of `softmax(along:where:)`: -infinity where `mask` is false.
  public func logSoftmax(along axis: Int = -1, where mask: Tensor) -> Tensor {
    let (weights, shift) = maskedExponentials(axis, mask)
    let normalizer = weights.sum(along: axis, keepingAxes: true).map { .log(.maximum($0, 0.5)) } + shift
    return .map(mask, self, normalizer) { .select($0, $1 - $2, .constant(-.infinity, $1.type)) }
  }

  /// The sum along `axes`, along all when nil, of the elements where `mask` is true.
  public func sum(along axes: [Int]? = nil, keepingAxes: Bool = false, where mask: Tensor) -> Tensor {
    filled(with: 0, where: .!mask).sum(along: axes, keepingAxes: keepingAxes)
  }

  /// The mean along `axes`, along all when nil, of the elements where `mask` is true; 0 where there are none.
  public func mean(along axes: [Int]? = nil, keepingAxes: Bool = false, where mask: Tensor) -> Tensor {
    let counts = mask.broadcast(to: shape).countNonzero(along: axes, keepingAxes: keepingAxes)
    return .map(sum(along: axes, keepingAxes: keepingAxes, where: mask), counts) {
      $0 / .maximum($1.converted(to: $0.type), 1)
    }
  }

  /// Exponentials of the elements less the largest that counts, 0 where the mask is false, and that largest.
  private func maskedExponentials(_ axis: Int, _ mask: Tensor) -> (weights: Tensor, shift: Tensor) {
    // The shift cancels, so no gradient flows through it; one that is infinite would make NaN of the difference.
    let shift = filled(with: -.infinity, where: .!mask).maximum(along: axis, keepingAxes: true)
      .stoppingGradient().map { .select(.isFinite($0), $0, 0) }
    // What is left out is replaced before the exponential, where it could overflow and spoil the gradient.
    let weights = Tensor.map(mask, self, shift) { isKept, x, shift in
      .select(isKept, .exp(.select(isKept, x - shift, 0)), 0)
    }
    return (weights, shift)
  }
}
