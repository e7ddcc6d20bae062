import HeklaArrays
import HeklaDevices

/// The rows of `values`, shape `[rows, columns]`, that `indices`, shape `[count]`, name: shape `[count, columns]`.
///
/// The order and the offsets of a `Segments` may follow the indices: the gradient then need not sort.
struct Gather: Primitive {
  var name: String { "gather" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (values, indices) = (inputs[0], inputs[1])
    require(
      values.shape.rank == 2 && indices.shape.rank == 1 && indices.elementType == .int32,
      "gather: values \(values) and indices \(indices); values must have rank 2, indices be int32 of rank 1")
    return Signature([indices.shape[0], values.shape[1]], values.elementType)
  }

  func indexOperands(of inputs: [Signature]) -> [IndexOperand] {
    [IndexOperand(input: 1, below: inputs[0].shape[0])]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    if context.inputs.count == 4 {
      let segments = Segments(
        indices: context.inputs[1], order: context.inputs[2], offsets: context.inputs[3],
        count: context.inputs[0].shape[0])
      return [context.upstream.segmentSum(segments), nil, nil, nil]
    }
    return [.scatterSum(context.upstream, at: context.inputs[1], rows: context.inputs[0].shape[0]), nil]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (values, indices) = (inputs[0].doubles(), inputs[1].elements(as: Int32.self))
    let columns = inputs[0].shape[1]
    var results = [Double](repeating: 0, count: signature.shape.count)
    for (row, index) in indices.enumerated() {
      for column in 0..<columns { results[row * columns + column] = values[Int(index) * columns + column] }
    }
    return HostArray(converting: results, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample(
        "rows", inputs: [.init([50, 33]), .init([200], .int32, in: 0...49)], tolerance: .exact,
        isDifferentiable: false
      ) {
        $0[0].gathered(at: $0[1])
      },
      Sample("one", inputs: [.init([1, 1]), .init([1], .int32, in: 0...0)], tolerance: .exact) {
        $0[0].gathered(at: $0[1])
      },
      Sample("widest-words", inputs: [.init([7, 8]), .init([13], .int32, in: 0...6)], tolerance: .exact) {
        $0[0].gathered(at: $0[1])
      },
      Sample("pairs", inputs: [.init([7, 6]), .init([257], .int32, in: 0...6)], tolerance: .exact) {
        $0[0].gathered(at: $0[1])
      },
      Sample(
        "bytes", inputs: [.init([11, 3], .uint8, in: 0...255), .init([31], .int32, in: 0...10)],
        tolerance: .exact, isDifferentiable: false
      ) { $0[0].gathered(at: $0[1]) },
      Sample(
        "halves", inputs: [.init([11, 5], .bfloat16), .init([31], .int32, in: 0...10)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].gathered(at: $0[1]) },
      Sample("scalars", inputs: [.init([300, 1]), .init([1001], .int32, in: 0...299)], tolerance: .exact) {
        $0[0].gathered(at: $0[1])
      },
    ]
  }
}
