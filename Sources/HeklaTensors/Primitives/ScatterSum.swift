import HeklaArrays
import HeklaDevices

/// Sums the rows of `values`, shape `[count, columns]`, into the rows of a zero array `[rows, columns]` that
/// `indices`, shape `[count]`, name. A repeated row accumulates, in input order, so the bits do not vary.
struct ScatterSum: Primitive {
  let rows: Int

  var name: String { "scatter-sum" }
  var attributes: String { "\(rows)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (values, indices) = (inputs[0], inputs[1])
    require(
      values.shape.rank == 2 && indices.shape == [values.shape[0]] && indices.elementType == .int32
        && (values.elementType == .float32 || values.elementType == .float64),
      "scatter-sum: values \(values) and indices \(indices); values must be real of rank 2, indices be int32, one a row"
    )
    return Signature([rows, values.shape[1]], values.elementType)
  }

  func indexOperands(of inputs: [Signature]) -> [IndexOperand] { [IndexOperand(input: 1, below: rows)] }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    [context.upstream.gathered(at: context.inputs[1]), nil]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (values, indices) = (inputs[0].doubles(), inputs[1].elements(as: Int32.self))
    let columns = inputs[0].shape[1]
    var results = [Double](repeating: 0, count: signature.shape.count)
    for (row, index) in indices.enumerated() {
      for column in 0..<columns { results[Int(index) * columns + column] += values[row * columns + column] }
    }
    return HostArray(converting: results, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? { Double(inputs[0].shape.count) }

  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? { .sum(of: max(inputs[1].shape.count, 1)) }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample(
        "edges", inputs: [.init([400, 17]), .init([400], .int32, in: 0...49)], tolerance: .sum(of: 400),
        flops: 400 * 17, isDifferentiable: false
      ) { .scatterSum($0[0], at: $0[1], rows: 50) },
      Sample(
        "one", inputs: [.init([1, 1]), .init([1], .int32, in: 0...0)], tolerance: .exact, flops: 1
      ) { .scatterSum($0[0], at: $0[1], rows: 1) },
      Sample(
        "vectors", inputs: [.init([65, 4]), .init([65], .int32, in: 0...6)], tolerance: .sum(of: 65),
        flops: 65 * 4
      ) { .scatterSum($0[0], at: $0[1], rows: 9) },
      Sample(
        "edge-257", inputs: [.init([257, 1]), .init([257], .int32, in: 0...300)], tolerance: .sum(of: 257),
        flops: 257
      ) { .scatterSum($0[0], at: $0[1], rows: 301) },
      Sample(
        "one-row-takes-all", inputs: [.init([300, 5]), .init([300], .int32, in: 2...2)],
        tolerance: .sum(of: 300),
        flops: 300 * 5
      ) { .scatterSum($0[0], at: $0[1], rows: 4) },
    ]
  }
}
