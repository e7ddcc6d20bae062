import HeklaArrays

/// The adjoint of a convolution in its weights: from `[batch, channels, spatial...]` and
/// `[batch, features, windows...]` to `[features, channels / groups, kernel...]`.
struct ConvolutionWeightGradient: Primitive {
  let geometry: ConvolutionGeometry
  /// The shape of the weights, which strides leave open.
  let weightShape: Shape

  var name: String { "convolution-weight-gradient" }
  var attributes: String { "\(geometry.attributes) to \(weightShape)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let result = Signature(weightShape, inputs[0].elementType)
    geometry.check(name, input: inputs[0], weights: result, output: inputs[1])
    return result
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (x, y) = (context.inputs[0], context.inputs[1])
    return [
      .convolutionInputGradient(y, context.upstream, geometry, inputShape: x.shape),
      Tensor(Convolution(geometry: geometry), [x, context.upstream]),
    ]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (x, y) = (inputs[0].doubles(), inputs[1].doubles())
    var weights = [Double](repeating: 0, count: signature.shape.count)
    geometry.forEachProduct(inputs[0].shape, signature.shape, inputs[1].shape) {
      weights[$1] += x[$0] * y[$2]
    }
    return HostArray(converting: weights, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let size = ConvolutionSize(
      geometry, input: inputs[0].shape, weights: weightShape, output: inputs[1].shape)
    return Double(size.flops)
  }

  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? {
    let output = inputs[1].shape.extents
    return .sum(of: output[0] * output.dropFirst(2).reduce(1, *) + 2)
  }

  // MARK: Lowering

  var takesEpilogue: Bool { true }

  var lowering: Lowering { .kernels(ConvolutionDirection.weightGradient.variants(geometry)) }

  // MARK: Samples

  static var samples: [Sample] {
    ConvolutionCase.all.map { item in
      let size = item.size
      return Sample(
        item.label, inputs: [.init(item.input), .init(item.output)],
        tolerance: .sum(of: size.batch * size.outputCount + 2), flops: size.flops,
        isDifferentiable: !item.isForTiles
      ) { .convolutionWeightGradient($0[0], $0[1], item.geometry, weightShape: item.weights) }
    }
  }
}

extension Tensor {
  /// See `ConvolutionWeightGradient`.
  static func convolutionWeightGradient(
    _ x: Tensor, _ y: Tensor, _ geometry: ConvolutionGeometry, weightShape: Shape
  ) -> Tensor {
    Tensor(ConvolutionWeightGradient(geometry: geometry, weightShape: weightShape), [x, y])
  }
}
