import HeklaArrays
import HeklaDevices

/// `y[i] = factors[i] * y[i - 1] + values[i]` along the middle axis of `[outer, extent, inner]`; `y[0] = values[0]`.
struct LinearRecurrence: Primitive {
  /// Whether it runs from the last element to the first.
  let isReversed: Bool

  var name: String { "linear-recurrence" }
  var attributes: String { isReversed ? "reversed" : "" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs[0].shape.rank == 3 && inputs[0] == inputs[1]
        && [.float32, .float64].contains(inputs[0].elementType),
      "linear-recurrence: values \(inputs[0]) and factors \(inputs[1]) must be of one shape and real")
    return inputs[0]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let step = isReversed ? -1 : 1
    // What a value is worth: its own result, and through the next factor all later ones.
    let next = context.inputs[1].shifted(by: -step, along: 1, filling: 0)
    let worth = context.upstream.recurrence(factors: next, isReversed: !isReversed)
    return [worth, worth * context.output.shifted(by: step, along: 1, filling: 0)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    var values = inputs[0].doubles()
    let factors = inputs[1].doubles()
    let (outer, extent, inner) = (signature.shape[0], signature.shape[1], signature.shape[2])
    for column in 0..<outer * inner {
      let start = column / inner * extent * inner + column % inner
      for i in 1..<max(extent, 1) {
        let (here, before) = isReversed ? (extent - 1 - i, extent - i) : (i, i - 1)
        values[start + here * inner] += factors[start + here * inner] * values[start + before * inner]
      }
    }
    return HostArray(converting: values, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? { 2 * Double(inputs[0].shape.count) }

  // MARK: Lowering

  var lowering: Lowering {
    .kernels([
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { _, output, _ in
        let parameters = [output.elementType == .float64 ? 1 : 0, isReversed ? 1 : 0] + output.shape.extents
        return KernelProgram([
          KernelCall(.host("linear_recurrence", parameters), bindings: [.input(0), .input(1), .output])
        ])
      },
      KernelVariant(
        "columns",
        applies: { device, _, output in device.runs(output.elementType, localSize: 64) }
      ) { _, output, device in
        KernelProgram(
          .scanColumns(
            [.input(0), .input(1), .output], of: output, constants: [0: 64, 1: isReversed ? 1 : 0, 10: 0],
            defines: output.elementType.scalarDefines.merging(["RECURRENCE": "1"]) { $1 }, on: device))
      },
    ])
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("one", inputs: [.init([1, 1]), .init([1, 1])], tolerance: .sum(of: 2), flops: 2) {
        $0[0].linearRecurrence(factors: $0[1], along: 1)
      },
      Sample(
        "edge-65", inputs: [.init([65, 7]), .init([65, 7])], tolerance: .sum(of: 14), flops: 910
      ) { $0[0].linearRecurrence(factors: $0[1], along: 1) },
      Sample(
        "double", inputs: [.init([5, 3], .float64), .init([5, 3], .float64)], tolerance: .sum(of: 20),
        flops: 30
      ) { $0[0].linearRecurrence(factors: $0[1], along: 0) },
      Sample("rows", inputs: [.init([3, 40]), .init([3, 40])], tolerance: .sum(of: 80), flops: 240) {
        $0[0].linearRecurrence(factors: $0[1], along: 1)
      },
      Sample(
        "columns-reversed", inputs: [.init([17, 5]), .init([17, 5])], tolerance: .sum(of: 34), flops: 170
      ) { $0[0].linearRecurrence(factors: $0[1], along: 0, isReversed: true) },
    ]
  }
}
