import HeklaArrays

extension Tensor {
  /// The convolution with `weights` over one to three spatial axes; the kernel is not mirrored.
  ///
  /// `y[b, f, o] = sum over c and k of x[b, c, o * stride + k * dilation - before] * weights[f, c, k]`, with 0
  /// beyond the input. All derivatives, of any order, are convolutions of the same family. NaN and infinity follow
  /// IEEE 754, but whether those among the weights meet the border's zeros depends on the device.
  /// - Parameters:
  ///   - weights: Shape `[features, channels / groups, kernel...]`; this tensor is `[batch, channels, spatial...]`.
  ///   - strides: Steps from one window to the next, one per spatial axis; 1 when nil.
  ///   - padding: The border of zeros.
  ///   - dilations: Steps from one tap of the kernel to the next, one per spatial axis; 1 when nil.
  ///   - groups: Parts of the channels and features that do not see each other; as many as channels is depthwise.
  /// - Returns: Shape `[batch, features, windows...]`.
  public func convolved(
    with weights: Tensor, strides: [Int]? = nil, padding: ConvolutionPadding = .valid,
    dilations: [Int]? = nil,
    groups: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let windows = SpatialWindows(
      "convolution", self, weights, strides, dilations, groups, file: file, line: line)
    let (before, after) = padding.resolved(
      input: windows.input, reach: windows.reach, strides: windows.strides)
    let geometry = windows.geometry(before: before, after: after, file: file, line: line)
    let extents = geometry.outputExtents(input: windows.input, kernel: windows.kernel)
    require(
      shape[1] == weights.shape[1] * groups && weights.shape[0] % groups == 0
        && elementType == weights.elementType,
      "convolution: input \(signature), weights \(weights.signature), \(groups) groups: weights are "
        + "[features, channels / groups, kernel...], and groups divide features",
      file: file, line: line)
    let output = Shape([shape[0], weights.shape[0]] + extents)
    guard output.count > 0, weights.shape.count > 0, shape.count > 0 else {
      return .zeros(output, elementType)
    }
    return Tensor(Convolution(geometry: geometry), [self, weights])
  }

  /// The transposed convolution: the adjoint of `convolved(with:)` in its input, used forward to enlarge.
  ///
  /// With the same arguments it takes the output's shape of a convolution back to its input's.
  /// - Parameters:
  ///   - weights: Shape `[channels, features / groups, kernel...]`; this tensor is `[batch, channels, spatial...]`.
  ///   - strides: How far apart the input's elements come to lie, one per spatial axis; 1 when nil.
  ///   - padding: What is cut off at the border; `.same` makes the extents `stride` times the input's.
  ///   - outputPadding: What is added behind each axis, less than the stride; 0 when nil.
  ///   - dilations: Steps from one tap of the kernel to the next, one per spatial axis; 1 when nil.
  ///   - groups: Parts of the channels and features that do not see each other.
  /// - Returns: Shape `[batch, features, extents...]`, each extent
  ///   `(spatial - 1) * stride + dilation * (kernel - 1) + 1 - before - after + outputPadding`.
  public func convolvedTransposed(
    with weights: Tensor, strides: [Int]? = nil, padding: ConvolutionPadding = .valid,
    outputPadding: [Int]? = nil,
    dilations: [Int]? = nil, groups: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let windows = SpatialWindows(
      "transposed-convolution", self, weights, strides, dilations, groups, file: file, line: line)
    let (reach, strides) = (windows.reach, windows.strides)
    var (before, after) = padding.resolved(input: windows.input, reach: reach, strides: strides)
    var extra = outputPadding ?? strides.map { _ in 0 }
    if padding == .same {
      let cuts = strides.indices.map { reach[$0] - strides[$0] }
      (before, after) = (cuts.map { max($0, 0) / 2 }, cuts.map { max($0, 0) - max($0, 0) / 2 })
      if outputPadding == nil { extra = cuts.map { max(-$0, 0) } }
    }
    let geometry = windows.geometry(before: before, after: after, file: file, line: line)
    require(
      shape[1] == weights.shape[0] && weights.shape[0] % groups == 0 && elementType == weights.elementType
        && extra.count == strides.count && zip(extra, strides).allSatisfy { $0 >= 0 && $0 < $1 },
      "transposed-convolution: input \(signature), weights \(weights.signature), \(groups) groups, output padding "
        + "\(extra): weights are [channels, features / groups, kernel...], and output padding is less than the stride",
      file: file, line: line)
    let extents = strides.indices.map {
      (windows.input[$0] - 1) * strides[$0] + reach[$0] - before[$0] - after[$0] + extra[$0]
    }
    require(
      shape.count == 0 || extents.allSatisfy { $0 > 0 },
      "transposed-convolution: the border \(before) and \(after) leaves nothing of the output", file: file,
      line: line)
    let output = Shape([shape[0], weights.shape[1] * groups] + extents.map { max($0, 0) })
    guard output.count > 0, weights.shape.count > 0, shape.count > 0 else {
      return .zeros(output, elementType)
    }
    return .convolutionInputGradient(self, weights, geometry, inputShape: output)
  }
}

/// The checked arguments of a convolution.
private struct SpatialWindows {
  let input, kernel, strides, dilations: [Int]
  let name: String
  let groups: Int

  init(
    _ name: String, _ x: Tensor, _ weights: Tensor, _ strides: [Int]?, _ dilations: [Int]?, _ groups: Int,
    file: StaticString, line: UInt
  ) {
    require(
      (3...5).contains(x.rank) && weights.rank == x.rank,
      "\(name): input \(x.shape) and weights \(weights.shape); both need a rank of 3, 4 or 5", file: file,
      line: line)
    let ones = [Int](repeating: 1, count: x.rank - 2)
    self.name = name
    self.groups = groups
    self.strides = strides ?? ones
    self.dilations = dilations ?? ones
    input = Array(x.shape.extents.dropFirst(2))
    kernel = Array(weights.shape.extents.dropFirst(2))
    require(
      self.strides.count == ones.count && self.dilations.count == ones.count && groups > 0
        && (self.strides + self.dilations).allSatisfy { $0 > 0 },
      "\(name): strides \(self.strides), dilations \(self.dilations), \(groups) groups: one positive number "
        + "for each of \(ones.count) spatial axes",
      file: file, line: line)
  }

  /// How far a window reaches along each axis.
  var reach: [Int] { kernel.indices.map { (kernel[$0] - 1) * dilations[$0] + 1 } }

  func geometry(before: [Int], after: [Int], file: StaticString, line: UInt) -> ConvolutionGeometry {
    require(
      before.count == input.count && after.count == input.count && (before + after).allSatisfy { $0 >= 0 },
      "\(name): the border \(before) before and \(after) after does not fit \(input.count) spatial axes",
      file: file, line: line)
    return ConvolutionGeometry(
      strides: strides, before: before, after: after, dilations: dilations, groups: groups)
  }
}
