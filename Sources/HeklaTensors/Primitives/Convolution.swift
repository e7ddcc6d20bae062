import HeklaArrays

/// The convolution of `x`, shape `[batch, channels, spatial...]`, with weights
/// `[features, channels / groups, kernel...]`: shape `[batch, features, windows...]`.
///
/// The kernel is not mirrored, as everywhere in learning. It is linear in `x` and in the weights; the adjoints
/// are `ConvolutionInputGradient` and `ConvolutionWeightGradient`, and the three are each other's gradients.
struct Convolution: Primitive {
  let geometry: ConvolutionGeometry

  var name: String { "convolution" }
  var attributes: String { geometry.attributes }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (x, weights) = (inputs[0], inputs[1])
    require(
      x.shape.rank == geometry.rank + 2 && weights.shape.rank == x.shape.rank,
      "convolution: input \(x) and weights \(weights) with \(geometry.rank) spatial axes")
    let windows = geometry.outputExtents(
      input: Array(x.shape.extents.dropFirst(2)), kernel: Array(weights.shape.extents.dropFirst(2)))
    let output = Signature(Shape([x.shape[0], weights.shape[0]] + windows), x.elementType)
    geometry.check(name, input: x, weights: weights, output: output)
    return output
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (x, weights) = (context.inputs[0], context.inputs[1])
    return [
      .convolutionInputGradient(context.upstream, weights, geometry, inputShape: x.shape),
      .convolutionWeightGradient(x, context.upstream, geometry, weightShape: weights.shape),
    ]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (x, weights) = (inputs[0].doubles(), inputs[1].doubles())
    var y = [Double](repeating: 0, count: signature.shape.count)
    geometry.forEachProduct(inputs[0].shape, inputs[1].shape, signature.shape) {
      y[$2] += x[$0] * weights[$1]
    }
    return HostArray(converting: y, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let size = ConvolutionSize(
      geometry, input: inputs[0].shape, weights: inputs[1].shape, output: signature(of: inputs).shape)
    return Double(size.flops)
  }

  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? {
    let weights = inputs[1].shape.extents
    return .sum(of: weights.dropFirst().reduce(1, *) + 2)
  }

  // MARK: Lowering

  var takesEpilogue: Bool { true }

  var lowering: Lowering { .kernels(ConvolutionDirection.forward.variants(geometry)) }

  // MARK: Samples

  static var samples: [Sample] {
    (ConvolutionCase.all + ConvolutionCase.forward).map { item in
      let size = item.size
      return Sample(
        item.label, inputs: [.init(item.input), .init(item.weights)],
        tolerance: .sum(of: size.channels * size.kernelCount + 2), flops: size.flops,
        isDifferentiable: !item.isForTiles
      ) { Tensor(Convolution(geometry: item.geometry), $0) }
    }
  }
}

/// One set of shapes that the samples of the three directions share.
struct ConvolutionCase {
  let label: String
  let geometry: ConvolutionGeometry
  let input: Shape
  let weights: Shape
  /// Whether the case is there for the tiles of kernels: its gradient is the rule of others, at the cost of many.
  let isForTiles: Bool

  init(
    _ label: String, _ input: Shape, _ weights: Shape, strides: [Int]? = nil, before: [Int]? = nil,
    after: [Int]? = nil, dilations: [Int]? = nil, groups: Int = 1, isForTiles: Bool = false
  ) {
    self.isForTiles = isForTiles
    let rank = input.rank - 2
    let (ones, zeros) = ([Int](repeating: 1, count: rank), [Int](repeating: 0, count: rank))
    self.label = label
    self.input = input
    self.weights = weights
    geometry = ConvolutionGeometry(
      strides: strides ?? ones, before: before ?? zeros, after: after ?? before ?? zeros,
      dilations: dilations ?? ones, groups: groups)
  }

  var output: Shape {
    Shape(
      [input[0], weights[0]]
        + geometry.outputExtents(
          input: Array(input.extents.dropFirst(2)), kernel: Array(weights.extents.dropFirst(2))))
  }
  var size: ConvolutionSize { ConvolutionSize(geometry, input: input, weights: weights, output: output) }

  /// Kernels of one tap and of even extent, strides beyond the kernel, uneven borders, groups, one to three axes.
  static let all = [
    ConvolutionCase("ones", [1, 1, 1], [1, 1, 1]),
    // Long enough for the weights' gradient to be summed in parts.
    ConvolutionCase("long", [2, 1, 300], [1, 1, 3], isForTiles: true),
    ConvolutionCase("tile-edges", [1, 5, 65], [65, 5, 1], isForTiles: true),
    ConvolutionCase("tile-edges-3", [1, 3, 65], [9, 3, 3], isForTiles: true),
    ConvolutionCase("3x3", [2, 5, 9, 11], [10, 5, 3, 3], before: [1, 1], isForTiles: true),
    ConvolutionCase("pointwise", [2, 9, 5, 7], [13, 9, 1, 1], isForTiles: true),
    ConvolutionCase("even-kernel", [1, 3, 8, 7], [9, 3, 4, 2], before: [1, 0], after: [2, 1]),
    ConvolutionCase("stride-beyond-kernel", [2, 3, 11, 8], [4, 3, 2, 1], strides: [3, 2]),
    ConvolutionCase("strided-5x5", [1, 2, 13, 12], [7, 2, 5, 5], strides: [2, 2], before: [2, 2]),
    ConvolutionCase("dilated", [1, 4, 10, 9], [3, 4, 3, 2], before: [2, 1], dilations: [2, 3]),
    ConvolutionCase("grouped", [2, 6, 6, 5], [8, 3, 3, 3], before: [1, 1], groups: 2),
    ConvolutionCase("depthwise", [2, 7, 9, 8], [7, 1, 3, 3], strides: [2, 1], before: [1, 1], groups: 7),
    ConvolutionCase("depthwise-multiplier", [1, 3, 6, 19], [6, 1, 2, 3], before: [0, 2], groups: 3),
    ConvolutionCase("one-axis", [3, 4, 37], [5, 4, 5], strides: [2], before: [3], after: [1]),
    ConvolutionCase(
      "three-axes", [2, 3, 5, 4, 6], [4, 3, 2, 3, 3], strides: [1, 2, 1], before: [1, 1, 0]),
  ]

  /// What the forward kernel of rows treats apart: more than five taps, and rows that need no border.
  static let forward = [
    ConvolutionCase("wide-kernel", [1, 2, 3, 17], [5, 2, 2, 7], before: [0, 1], isForTiles: true),
    ConvolutionCase("pointwise-whole", [2, 4, 4, 8], [9, 4, 1, 1], isForTiles: true),
  ]
}
