import HeklaArrays

/// How the windows of a convolution lie on its input: what the operation and its two gradients share.
///
/// Arrays have one entry per spatial axis, of which there are one to three. Output position `o` and tap `k` of
/// the kernel meet input position `o * stride + k * dilation - before` along each axis; positions outside of
/// the input count as 0.
struct ConvolutionGeometry: Sendable, Hashable {
  let strides: [Int]
  /// The border in front of the input.
  let before: [Int]
  /// The border behind the input.
  let after: [Int]
  let dilations: [Int]
  /// Parts of the channels that do not see each other.
  let groups: Int

  /// The number of spatial axes.
  var rank: Int { strides.count }

  /// Everything, as text.
  var attributes: String {
    "strides \(strides) before \(before) after \(after) dilations \(dilations) groups \(groups)"
  }

  /// Along each axis the number of windows, which is 0 or less where none fits.
  func outputExtents(input: [Int], kernel: [Int]) -> [Int] {
    strides.indices.map { axis in
      let room = before[axis] + input[axis] + after[axis] - dilations[axis] * (kernel[axis] - 1) - 1
      return room < 0 ? 0 : room / strides[axis] + 1
    }
  }

  /// Stops the program unless input, weights and output belong together.
  func check(_ name: String, input: Signature, weights: Signature, output: Signature) {
    let all = [input, weights, output]
    require(
      all.allSatisfy { $0.shape.rank == rank + 2 && $0.elementType == input.elementType }
        && (input.elementType == .float32 || input.elementType == .float64),
      "\(name): input \(input), weights \(weights) and output \(output); all must be float32 or float64 of rank \(rank + 2)"
    )
    let size = ConvolutionSize(self, input: input.shape, weights: weights.shape, output: output.shape)
    require(
      input.shape[1] == size.channels * groups && weights.shape[0] == size.features * groups
        && output.shape[1] == size.features * groups && output.shape[0] == size.batch,
      "\(name): \(groups) groups, input \(input.shape), weights \(weights.shape), output \(output.shape): weights "
        + "are [features, channels / groups, kernel...], and groups divide features and channels")
    require(
      size.output == outputExtents(input: size.input, kernel: size.kernel),
      "\(name): windows of \(size.kernel) over \(size.input) with \(attributes) are not \(size.output)")
  }
}

/// The extents of one convolution, its spatial axes filled up to three in front.
struct ConvolutionSize: Sendable {
  let batch, groups: Int
  /// Channels and features of one group.
  let channels, features: Int
  /// Spatial extents.
  let input, kernel, output: [Int]

  init(_ geometry: ConvolutionGeometry, input: Shape, weights: Shape, output: Shape) {
    batch = input.extents[0]
    groups = geometry.groups
    channels = weights.extents[1]
    features = weights.extents[0] / groups
    self.input = Array(input.extents.dropFirst(2))
    kernel = Array(weights.extents.dropFirst(2))
    self.output = Array(output.extents.dropFirst(2))
  }

  var inputCount: Int { input.reduce(1, *) }
  var kernelCount: Int { kernel.reduce(1, *) }
  var outputCount: Int { output.reduce(1, *) }

  /// Multiplications and additions of each of the three directions.
  var flops: Int { 2 * batch * groups * features * channels * kernelCount * outputCount }
}

extension ConvolutionGeometry {
  /// Calls `body` with the indices of each input element, weight and output element that meet.
  ///
  /// Seven plain loops, the spatial ones over points: the meaning of all three directions.
  func forEachProduct(
    _ input: Shape, _ weights: Shape, _ output: Shape, _ body: (_ x: Int, _ w: Int, _ y: Int) -> Void
  ) {
    let size = ConvolutionSize(self, input: input, weights: weights, output: output)
    let (inputs, taps, windows) = (Shape(size.input), Shape(size.kernel), Shape(size.output))
    for batch in 0..<size.batch {
      for group in 0..<groups {
        for feature in group * size.features..<(group + 1) * size.features {
          for window in 0..<windows.count {
            let place = windows.coordinates(ofIndex: window)
            for channel in 0..<size.channels {
              for tap in 0..<taps.count {
                let offset = taps.coordinates(ofIndex: tap)
                let point = place.indices.map {
                  place[$0] * strides[$0] + offset[$0] * dilations[$0] - before[$0]
                }
                guard point.indices.allSatisfy({ (0..<size.input[$0]).contains(point[$0]) }) else { continue }
                let source = zip(point, inputs.strides).reduce(0) { $0 + $1.0 * $1.1 }
                body(
                  ((batch * groups + group) * size.channels + channel) * inputs.count + source,
                  (feature * size.channels + channel) * taps.count + tap,
                  (batch * groups * size.features + feature) * windows.count + window)
              }
            }
          }
        }
      }
    }
  }
}
