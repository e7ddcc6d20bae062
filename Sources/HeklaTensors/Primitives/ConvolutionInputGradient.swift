import HeklaArrays

/// The adjoint of a convolution in its input: from `[batch, features, windows...]` and the weights back to
/// `[batch, channels, spatial...]`. Run forward it is the transposed convolution.
struct ConvolutionInputGradient: Primitive {
  let geometry: ConvolutionGeometry
  /// The shape of the convolution's input, which strides leave open.
  let inputShape: Shape

  var name: String { "convolution-input-gradient" }
  var attributes: String { "\(geometry.attributes) to \(inputShape)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let result = Signature(inputShape, inputs[0].elementType)
    geometry.check(name, input: result, weights: inputs[1], output: inputs[0])
    return result
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (y, weights) = (context.inputs[0], context.inputs[1])
    return [
      Tensor(Convolution(geometry: geometry), [context.upstream, weights]),
      .convolutionWeightGradient(context.upstream, y, geometry, weightShape: weights.shape),
    ]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (y, weights) = (inputs[0].doubles(), inputs[1].doubles())
    var x = [Double](repeating: 0, count: signature.shape.count)
    geometry.forEachProduct(signature.shape, inputs[1].shape, inputs[0].shape) {
      x[$0] += weights[$1] * y[$2]
    }
    return HostArray(converting: x, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let size = ConvolutionSize(
      geometry, input: inputShape, weights: inputs[1].shape, output: inputs[0].shape)
    return Double(size.flops)
  }

  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? {
    let weights = inputs[1].shape.extents
    return .sum(of: weights[0] / geometry.groups * weights.dropFirst(2).reduce(1, *) + 2)
  }

  // MARK: Lowering

  var takesEpilogue: Bool { true }

  var lowering: Lowering { .kernels(ConvolutionDirection.inputGradient.variants(geometry)) }

  // MARK: Samples

  static var samples: [Sample] {
    ConvolutionCase.all.map { item in
      let size = item.size
      return Sample(
        item.label, inputs: [.init(item.output), .init(item.weights)],
        tolerance: .sum(of: size.features * size.kernelCount + 2), flops: size.flops,
        isDifferentiable: !item.isForTiles
      ) { .convolutionInputGradient($0[0], $0[1], item.geometry, inputShape: item.input) }
    }
  }
}

extension Tensor {
  /// See `ConvolutionInputGradient`.
  static func convolutionInputGradient(
    _ y: Tensor, _ weights: Tensor, _ geometry: ConvolutionGeometry, inputShape: Shape
  ) -> Tensor {
    Tensor(ConvolutionInputGradient(geometry: geometry, inputShape: inputShape), [y, weights])
  }
}
