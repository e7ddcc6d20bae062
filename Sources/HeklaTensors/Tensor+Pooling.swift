import HeklaArrays

// Pooling works axis by axis: the maximum, and the mean, of a box is that of its rows' maxima or means. So a window
// of 3 x 3 reads 3 + 3 elements, not 9, and the expressions stay small for windows of any size.

extension Tensor {
  /// The largest element of each window over the spatial axes of `[batch, channels, spatial...]`.
  ///
  /// The border never wins. The gradient goes to the window's first largest element, in row-major order. NaN wins.
  /// - Parameters:
  ///   - kernel: The extents of a window, one per spatial axis.
  ///   - strides: Steps from one window to the next; the window's extents when nil.
  ///   - padding: The border; less than the window on each side, so that every window holds an element.
  public func maximumPooled(
    _ kernel: [Int], strides: [Int]? = nil, padding: ConvolutionPadding = .valid,
    file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    let windows = PoolingWindows("maximum-pooling", self, kernel, strides, padding, file: file, line: line)
    return windows.axes.reversed().reduce(self) { x, axis in
      let terms = windows.terms(of: x, along: axis, fill: -.infinity)
      return terms.isEmpty ? x : .firstMaximum(of: terms)
    }
  }

  /// The mean of each window over the spatial axes of `[batch, channels, spatial...]`.
  ///
  /// - Parameters:
  ///   - kernel: The extents of a window, one per spatial axis.
  ///   - strides: Steps from one window to the next; the window's extents when nil.
  ///   - padding: The border; less than the window on each side.
  ///   - countingBorder: Whether elements of the border count as 0, or not at all.
  public func averagePooled(
    _ kernel: [Int], strides: [Int]? = nil, padding: ConvolutionPadding = .valid,
    countingBorder: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let windows = PoolingWindows("average-pooling", self, kernel, strides, padding, file: file, line: line)
    return windows.axes.reversed().reduce(self) { x, axis in
      let terms = windows.terms(of: x, along: axis, fill: 0)
      guard let first = terms.first else { return x }
      let sum = terms.dropFirst().reduce(first, +)
      let extent = windows.kernel[axis - 2]
      let counts = windows.counts(along: axis)
      if countingBorder || counts.allSatisfy({ $0 == extent }) { return sum * (1 / Double(extent)) }
      let shares = HostArray(
        converting: counts.map { 1 / Double(max($0, 1)) }, shape: [counts.count], to: elementType)
      var kept = [Int](repeating: 1, count: rank)
      kept[axis] = counts.count
      return sum * Tensor(shares).reshaped(to: kept)
    }
  }

  /// The largest element of each of `extents` nearly equal parts of each spatial axis; see `averagePooled(to:)`.
  ///
  /// The gradient goes to the part's first largest element, in row-major order.
  public func maximumPooled(to extents: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    pooled("adaptive-maximum-pooling", to: extents, file: file, line: line) { $0.firstMaximum(along: $1) }
  }

  /// The mean of each of `extents` nearly equal parts of each spatial axis.
  ///
  /// Part `i` of `n` of an axis of extent `e` is `floor(i * e / n) ..< ceil((i + 1) * e / n)`: parts overlap by
  /// one element where `n` does not divide `e`.
  public func averagePooled(to extents: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    pooled("adaptive-average-pooling", to: extents, file: file, line: line) { $0.mean(along: $1) }
  }

  /// The largest element of each channel, `[batch, channels]` from `[batch, channels, spatial...]`; the gradient
  /// goes to the first.
  public func globalMaximumPooled(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(rank >= 3, "global-maximum-pooling: \(shape) has no spatial axis", file: file, line: line)
    return reshaped(to: [shape[0], shape[1], shape.extents.dropFirst(2).reduce(1, *)]).firstMaximum(along: 2)
  }

  /// The mean of each channel, `[batch, channels]` from `[batch, channels, spatial...]`.
  public func globalAveragePooled(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(rank >= 3, "global-average-pooling: \(shape) has no spatial axis", file: file, line: line)
    return mean(along: Array(2..<rank))
  }

  /// `fold` of each part of each spatial axis; it takes a tensor and the axis that it lets disappear.
  private func pooled(
    _ name: String, to extents: [Int], file: StaticString, line: UInt, fold: (Tensor, Int) -> Tensor
  ) -> Tensor {
    require(
      rank >= 3 && extents.count == rank - 2
        && zip(extents, shape.extents.dropFirst(2)).allSatisfy { $0 > 0 && $1 > 0 },
      "\(name): \(shape) to \(extents); there must be one positive extent per spatial axis", file: file,
      line: line)
    return (2..<rank).reversed().reduce(self) { x, axis in
      let (extent, count) = (x.shape[axis], extents[axis - 2])
      if extent % count == 0 {
        var split = x.shape.extents
        split.replaceSubrange(axis...axis, with: [count, extent / count])
        return fold(x.reshaped(to: split), axis + 1)
      }
      let parts = (0..<count).map { part in
        let range = part * extent / count..<((part + 1) * extent + count - 1) / count
        return fold(x.sliced(range, along: axis), axis)
      }
      return .stacking(parts, along: axis)
    }
  }

  /// The largest of equally shaped tensors at each point; the gradient goes to the first that attains it.
  private static func firstMaximum(of terms: [Tensor]) -> Tensor {
    let position = Tensor.map(terms) { values -> Scalar in
      var best = (value: values[0], position: Scalar.constant(0, .int32))
      for (index, value) in values.enumerated().dropFirst() {
        // Not written as `value > best`, so that NaN wins.
        let isBetter = .!(value .<= best.value) .& .!(.isNaN(best.value))
        best = (
          .select(isBetter, value, best.value),
          .select(isBetter, .constant(Double(index), .int32), best.position)
        )
      }
      return best.position
    }.stoppingGradient()
    return Tensor.map(terms + [position]) { values in
      (0..<terms.count - 1).reversed().reduce(values[terms.count - 1]) { rest, index in
        .select(values[terms.count] .== .constant(Double(index), .int32), values[index], rest)
      }
    }
  }

  /// The largest element along `axis`; the gradient goes to the first that attains it.
  private func firstMaximum(along axis: Int) -> Tensor {
    let position = argumentMaximum(along: axis, keepingAxes: true).stoppingGradient().broadcast(to: shape)
    let isChosen = Tensor.coordinates(shape, along: axis) .== position
    return Tensor.select(isChosen, self, .zeros(shape, elementType)).sum(along: axis)
  }
}

/// The checked arguments of a pooling operation.
private struct PoolingWindows {
  let input, kernel, strides, before, after: [Int]

  init(
    _ name: String, _ x: Tensor, _ kernel: [Int], _ strides: [Int]?, _ padding: ConvolutionPadding,
    file: StaticString, line: UInt
  ) {
    let spatialStrides = strides ?? kernel
    require(
      x.rank >= 3 && kernel.count == x.rank - 2 && spatialStrides.count == kernel.count
        && (kernel + spatialStrides).allSatisfy { $0 > 0 } && x.elementType.isFloating,
      "\(name): \(x.signature) with windows \(kernel) and strides \(spatialStrides): one positive number per "
        + "spatial axis, over real numbers",
      file: file, line: line)
    input = Array(x.shape.extents.dropFirst(2))
    let border = padding.resolved(input: input, reach: kernel, strides: spatialStrides)
    require(
      border.before.count == kernel.count && border.after.count == kernel.count
        && kernel.indices.allSatisfy {
          (0..<kernel[$0]).contains(border.before[$0]) && (0..<kernel[$0]).contains(border.after[$0])
        },
      "\(name): the border \(border.before) before and \(border.after) after must be less than windows \(kernel)",
      file: file, line: line)
    (self.kernel, self.strides, before, after) = (kernel, spatialStrides, border.before, border.after)
    let (reach, borders) = (kernel, border)
    let extents = input
    require(
      kernel.indices.allSatisfy { borders.before[$0] + extents[$0] + borders.after[$0] >= reach[$0] },
      "\(name): no window of \(kernel) fits into \(x.shape)", file: file, line: line)
  }

  /// The spatial axes of the tensor.
  var axes: Range<Int> { 2..<(2 + kernel.count) }

  private func windowCount(_ index: Int) -> Int {
    (before[index] + input[index] + after[index] - kernel[index]) / strides[index] + 1
  }

  /// The elements that come first, second, ... in every window along `axis`; none where nothing is to be done.
  func terms(of x: Tensor, along axis: Int, fill: Double) -> [Tensor] {
    let index = axis - 2
    guard kernel[index] > 1 || strides[index] > 1 else { return [] }
    var (front, behind) = ([Int](repeating: 0, count: x.rank), [Int](repeating: 0, count: x.rank))
    (front[axis], behind[axis]) = (before[index], after[index])
    let padded = x.padded(before: front, after: behind, with: fill)
    var (starts, steps) = ([Int](repeating: 0, count: x.rank), [Int](repeating: 1, count: x.rank))
    var extents = padded.shape.extents
    extents[axis] = windowCount(index)
    steps[axis] = strides[index]
    return (0..<kernel[index]).map { offset in
      starts[axis] = offset
      return padded.sliced(starts: starts, extents: extents, steps: steps)
    }
  }

  /// How many elements of each window along `axis` are not border.
  func counts(along axis: Int) -> [Int] {
    let index = axis - 2
    return (0..<windowCount(index)).map { window in
      let first = window * strides[index] - before[index]
      return max(min(first + kernel[index], input[index]) - max(first, 0), 0)
    }
  }
}
