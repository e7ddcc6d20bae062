import HeklaArrays
import HeklaDevices

/// A sparse matrix times `x`, shape `[columns, width]`: shape `[rows, width]`.
///
/// Further inputs are the parts of a `SparseMatrix`: its values, then indices, order and offsets of its rows and of
/// its columns. Kernels read what the product takes; the rest is there for the gradient.
struct SparseProduct: Primitive {
  var name: String { "sparse-product" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (x, values) = (inputs[0], inputs[1])
    let places = Signature(values.shape, .int32)
    require(
      x.shape.rank == 2 && values.shape.rank == 1 && x.elementType == values.elementType
        && [.float32, .float64].contains(x.elementType)
        && [2, 3, 5, 6].allSatisfy { inputs[$0] == places } && inputs[7].shape[0] == x.shape[0] + 1,
      "\(name): values \(values) in \(inputs[7].shape[0] - 1) columns, and \(x); both must be real of one type"
    )
    return Signature([inputs[4].shape[0] - 1, x.shape[1]], x.elementType)
  }

  func indexOperands(of inputs: [Signature]) -> [IndexOperand] {
    let elements = inputs[1].shape[0]
    return [
      IndexOperand(input: 3, below: elements), IndexOperand(input: 4, below: elements + 1),
      IndexOperand(input: 5, below: inputs[0].shape[0]),
    ]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (x, upstream) = (context.inputs[0], context.upstream)
    func segments(_ first: Int, count: Int) -> Segments {
      Segments(
        indices: context.inputs[first], order: context.inputs[first + 1], offsets: context.inputs[first + 2],
        count: count)
    }
    let matrix = SparseMatrix(
      rows: segments(2, count: upstream.shape[0]), columns: segments(5, count: x.shape[0]),
      values: context.inputs[1])
    let values = (upstream.gathered(at: matrix.rows) * x.gathered(at: matrix.columns)).sum(along: 1)
    return [matrix.transposed.product(upstream), values] + [Tensor?](repeating: nil, count: 6)
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (x, values) = (inputs[0].doubles(), inputs[1].doubles())
    let (rows, columns) = (inputs[2].elements(as: Int32.self), inputs[5].elements(as: Int32.self))
    let width = signature.shape[1]
    var results = [Double](repeating: 0, count: signature.shape.count)
    for (element, value) in values.enumerated() {
      for k in 0..<width {
        results[Int(rows[element]) * width + k] += value * x[Int(columns[element]) * width + k]
      }
    }
    return HostArray(converting: results, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    2 * Double(inputs[1].shape[0]) * Double(inputs[0].shape[1])
  }

  // MARK: Lowering

  var lowering: Lowering {
    let bindings: [KernelCall.Operand] = [.input(0), .input(1), .input(5), .input(3), .input(4), .output]
    return .kernels([
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, output, _ in
        let parameters = [
          output.elementType == .float64 ? 1 : 0, inputs[1].shape[0], output.shape[0], inputs[0].shape[0],
          output.shape[1],
        ]
        return KernelProgram([KernelCall(.host("sparse_product", parameters), bindings: bindings)])
      },
      KernelVariant(
        "rows",
        applies: { device, _, output in
          device.runs(.float32, localSize: 64) && output.elementType == .float32
        }
      ) { inputs, output, device in
        let usesVectors = output.shape[1] % 4 == 0
        let width = usesVectors ? output.shape[1] / 4 : output.shape[1]
        let push = [output.shape[0], width, inputs[1].shape[0], inputs[0].shape[0]]
        return KernelProgram(
          KernelProgram.windows(of: inputs[1].shape[0], on: device).map { window in
            KernelCall(
              .shader("sparse_product", constants: [0: 64], defines: usesVectors ? ["VECTORS": "1"] : [:]),
              bindings: bindings, groupCount: GroupCount(folding: (output.shape[0] * width).groups(of: 64)),
              pushConstants: (push + [window.first, window.count]).map(UInt32.init))
          })
      },
    ])
  }

  // MARK: Samples

  static var samples: [Sample] {
    /// A matrix of 40 x 30 with 150 elements at places that are inputs, times `[30, width]`.
    func sample(_ label: String, width: Int, isTransposed: Bool = false) -> Sample {
      Sample(
        label,
        inputs: [
          .init([isTransposed ? 40 : 30, width]), .init([150]), .init([150], .int32, in: 0...39),
          .init([150], .int32, in: 0...29),
        ], tolerance: .sum(of: 150), flops: 2 * 150 * width
      ) {
        let matrix = SparseMatrix(
          rows: Segments(at: $0[2], count: 40), columns: Segments(at: $0[3], count: 30), values: $0[1])
        return (isTransposed ? matrix.transposed : matrix).product($0[0])
      }
    }
    return [
      sample("vectors", width: 20), sample("odd", width: 7), sample("column", width: 1),
      sample("transposed", width: 3, isTransposed: true),
    ]
  }
}
