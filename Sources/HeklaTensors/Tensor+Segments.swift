import HeklaArrays
import HeklaDevices

extension Tensor {
  /// The sums over `segments` of the subarrays along the outermost axis, in order of the terms; 0 where none.
  /// - Returns: Shape `[segments.count] + shape[1...]`.
  public func segmentSum(_ segments: Segments) -> Tensor { segmentFold(.sum, segments, empty: 0) }

  /// The means over `segments`; 0 where there are no terms.
  public func segmentMean(_ segments: Segments) -> Tensor {
    let counts = segments.termCounts.converted(to: elementType).map { .maximum($0, 1) }
    return segmentSum(segments)
      / counts.reshaped(to: Shape([segments.count] + [Int](repeating: 1, count: rank - 1)))
  }

  /// The maxima over `segments`, NaN where a term is NaN.
  ///
  /// Terms that attain a maximum share its gradient equally, as in `maximum(along:)`.
  /// - Parameters:
  ///   - segments: One term per subarray along the outermost axis.
  ///   - empty: What a segment without terms gives; integers saturate.
  public func segmentMaximum(_ segments: Segments, empty: Double = -.infinity) -> Tensor {
    segmentFold(.maximum, segments, empty: empty)
  }

  /// The minima over `segments`; see `segmentMaximum(_:empty:)`.
  public func segmentMinimum(_ segments: Segments, empty: Double = .infinity) -> Tensor {
    segmentFold(.minimum, segments, empty: empty)
  }

  /// Exponentials divided by their sum over the term's segment, without overflow.
  /// - Returns: The tensor's own shape.
  public func segmentSoftmax(_ segments: Segments) -> Tensor {
    // The shift cancels, so no gradient flows through it.
    let shift = segmentMaximum(segments, empty: 0).stoppingGradient()
    let weights = (self - shift.gathered(at: segments)).exp()
    return weights / weights.segmentSum(segments).gathered(at: segments)
  }

  private func segmentFold(_ fold: Loop.Fold, _ segments: Segments, empty: Double) -> Tensor {
    require(
      rank >= 1 && shape[0] == segments.termCount,
      "segment-\(fold.operationName): \(signature) over segments of \(segments.termCount) terms")
    let tail = shape.extents.dropFirst()
    let result = Shape([segments.count] + tail)
    guard shape.count > 0, segments.count > 0 else {
      return .full(result, fold == .sum ? 0 : empty, elementType)
    }
    return Tensor(
      SegmentReduction(fold: fold, fill: empty),
      [reshaped(to: [shape[0], tail.reduce(1, *)]), segments.indices, segments.order, segments.offsets]
    ).reshaped(to: result)
  }

  /// For each term the subarray along the outermost axis that its segment names; the gradient is `segmentSum`.
  /// - Returns: Shape `[segments.termCount] + shape[1...]`.
  public func gathered(at segments: Segments) -> Tensor {
    require(
      rank >= 1 && shape[0] == segments.count, "gather: \(signature) at terms of \(segments.count) segments")
    let tail = shape.extents.dropFirst()
    let result = Shape([segments.termCount] + tail)
    guard result.count > 0 else { return .zeros(result, elementType) }
    return Tensor(
      Gather(),
      [reshaped(to: [shape[0], tail.reduce(1, *)]), segments.indices, segments.order, segments.offsets]
    ).reshaped(to: result)
  }

  /// How often each of 0, 1, ..., `count` - 1 stands in `indices`, `int32` of shape `[count]`.
  /// - Parameters:
  ///   - indices: `int32` of any shape, each in `0..<count`; see `Segments.init(at:count:)` for others.
  ///   - count: The number of different indices.
  public static func counts(of indices: Tensor, below count: Int) -> Tensor {
    Segments(at: indices.reshaped(to: [indices.shape.count]), count: count).termCounts
  }

  /// How many elements fall into each of `binCount` equal bins of `range`, `int32`; those outside are not counted.
  ///
  /// A bin has its lower end and not its upper, but for the last, which has both.
  public func histogram(binCount: Int, in range: ClosedRange<Double>) -> Tensor {
    let width = (range.upperBound - range.lowerBound) / Double(binCount)
    // What is outside, or NaN, is counted in a bin of its own and left out.
    let bins = map { x in
      let bin = Scalar.minimum(
        .floor((x - Scalar(range.lowerBound)) / Scalar(width)), Scalar(Double(binCount - 1)))
      return .select(
        x .>= Scalar(range.lowerBound),
        .select(x .<= Scalar(range.upperBound), bin, Scalar(Double(binCount))), Scalar(Double(binCount))
      ).converted(to: .int32)
    }
    return Tensor.counts(of: bins, below: binCount + 1).sliced(0..<binCount, along: 0)
  }

  /// The largest of the subarrays of `values` that go to each row; see `segmentMaximum(_:empty:)`.
  public static func scatterMaximum(
    _ values: Tensor, at indices: Tensor, rows: Int, empty: Double = -.infinity
  ) -> Tensor { values.segmentMaximum(Segments(at: indices, count: rows), empty: empty) }

  /// The smallest of the subarrays of `values` that go to each row; see `segmentMaximum(_:empty:)`.
  public static func scatterMinimum(
    _ values: Tensor, at indices: Tensor, rows: Int, empty: Double = .infinity
  ) -> Tensor { values.segmentMinimum(Segments(at: indices, count: rows), empty: empty) }

  /// The mean of the subarrays of `values` that go to each row, 0 where none go.
  public static func scatterMean(_ values: Tensor, at indices: Tensor, rows: Int) -> Tensor {
    values.segmentMean(Segments(at: indices, count: rows))
  }

  /// The tensor with the subarrays at `indices` along the outermost axis replaced by those of `values`.
  ///
  /// Where an index is repeated the last wins, on every device. The gradient of a value that was overwritten,
  /// by another or in the tensor, is 0.
  public func replacing(at indices: Tensor, by values: Tensor) -> Tensor {
    guard indices.shape.count > 0, shape.count > 0 else { return self }
    let segments = Segments(at: indices, count: shape[0])
    let last = Tensor.range(indices.shape[0]).segmentMaximum(segments, empty: -1)
    let rowShape = Shape([shape[0]] + [Int](repeating: 1, count: rank - 1))
    let isReplaced = last.map { $0 .>= .constant(0, .int32) }.reshaped(to: rowShape)
    let chosen = values.gathered(at: last.map { .maximum($0, .constant(0, .int32)) })
    return .select(isReplaced, chosen, self)
  }
}

extension Segments {
  /// How many terms each segment has, `int32` of shape `[count]`.
  public var termCounts: Tensor {
    offsets.sliced(1..<(count + 1), along: 0) - offsets.sliced(0..<count, along: 0)
  }
}
