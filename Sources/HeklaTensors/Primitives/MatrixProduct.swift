import HeklaArrays
import HeklaDevices

/// The matrix product of `[batch, m, k]` and `[batch, k, n]`, shape `[batch, m, n]`.
///
/// Either factor may be stored transposed, and either batch may be 1 and serve all of the other's.
struct MatrixProduct: Primitive {
  /// The left factor is stored `[batch, k, m]`.
  let transposingLeft: Bool
  /// The right factor is stored `[batch, n, k]`.
  let transposingRight: Bool

  var name: String { "matrix-product" }
  var attributes: String { "\(transposingLeft ? "T" : "N")\(transposingRight ? "T" : "N")" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (left, right) = (inputs[0], inputs[1])
    require(
      left.shape.rank == 3 && right.shape.rank == 3 && left.elementType == right.elementType
        && (left.elementType == .float32 || left.elementType == .float64),
      "matrix-product: factors \(left) and \(right); both must be float32 or float64 of rank 3")
    let size = Extents(self, inputs.map(\.shape))
    require(
      size.k == right.shape.extents[transposingRight ? 2 : 1]
        && (left.shape[0] == right.shape[0] || left.shape[0] == 1 || right.shape[0] == 1),
      "matrix-product: \(left.shape)\(transposingLeft ? " transposed" : "") times "
        + "\(right.shape)\(transposingRight ? " transposed" : ""): the inner extents or the batches differ")
    return Signature([size.batch, size.m, size.n], left.elementType)
  }

  /// The extents of one product.
  struct Extents {
    let batch, m, n, k: Int

    init(_ product: MatrixProduct, _ inputs: [Shape]) {
      let (left, right) = (inputs[0].extents, inputs[1].extents)
      batch = left[0] == 1 ? right[0] : left[0]
      m = left[product.transposingLeft ? 2 : 1]
      k = left[product.transposingLeft ? 1 : 2]
      n = right[product.transposingRight ? 1 : 2]
    }
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (a, b, g) = (context.inputs[0], context.inputs[1], context.upstream)
    // With C = A B: dA = G B^T and dB = A^T G, each transposed where the factor is stored so.
    let left =
      transposingLeft
      ? Tensor.product(b, g, transposingLeft: transposingRight, transposingRight: true)
      : Tensor.product(g, b, transposingRight: !transposingRight)
    let right =
      transposingRight
      ? Tensor.product(g, a, transposingLeft: true, transposingRight: transposingLeft)
      : Tensor.product(a, g, transposingLeft: !transposingLeft)
    return [left.summed(overBatchTo: a.shape), right.summed(overBatchTo: b.shape)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let size = Extents(self, inputs.map(\.shape))
    let (a, b) = (inputs[0].doubles(), inputs[1].doubles())
    let strideA = inputs[0].shape[0] == 1 ? 0 : size.m * size.k
    let strideB = inputs[1].shape[0] == 1 ? 0 : size.k * size.n
    var c = [Double](repeating: 0, count: signature.shape.count)
    for batch in 0..<size.batch {
      for i in 0..<size.m {
        for j in 0..<size.n {
          var sum = 0.0
          for l in 0..<size.k {
            let left = a[batch * strideA + (transposingLeft ? l * size.m + i : i * size.k + l)]
            let right = b[batch * strideB + (transposingRight ? j * size.k + l : l * size.n + j)]
            sum += left * right
          }
          c[(batch * size.m + i) * size.n + j] = sum
        }
      }
    }
    return HostArray(converting: c, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let size = Extents(self, inputs.map(\.shape))
    return 2 * Double(size.batch) * Double(size.m) * Double(size.n) * Double(size.k)
  }

  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? {
    .sum(of: Extents(self, inputs.map(\.shape)).k + 2)
  }

  // MARK: Lowering

  var takesEpilogue: Bool { true }
  var takesBias: Bool { true }

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(
      _ label: String, _ a: Shape, _ b: Shape, _ transposingLeft: Bool = false,
      _ transposingRight: Bool = false, _ type: ElementType = .float32
    ) -> Sample {
      let product = MatrixProduct(transposingLeft: transposingLeft, transposingRight: transposingRight)
      let size = Extents(product, [a, b])
      return Sample(
        label, inputs: [.init(a, type), .init(b, type)], tolerance: .sum(of: size.k + 2),
        flops: product.flops(a, b)
      ) { .product($0[0], $0[1], transposingLeft: transposingLeft, transposingRight: transposingRight) }
    }
    return [
      sample("square-64", [1, 64, 64], [1, 64, 64]),
      sample("edges-65x63x33", [1, 65, 33], [1, 33, 63]),
      sample("ones", [1, 1, 1], [1, 1, 1]),
      sample("edges-33x31x17", [1, 33, 17], [1, 17, 31]),
      sample("edges-129x127x15", [1, 129, 15], [1, 15, 127]),
      sample("vectors-64x60x8", [2, 64, 8], [2, 8, 60]),
      sample("double-33x9x7", [2, 33, 7], [1, 9, 7], false, true, .float64),
      sample("transposed-left", [1, 37, 60], [1, 37, 100], true, false),
      sample("transposed-right", [1, 60, 37], [1, 10, 37], false, true),
      sample("transposed-both", [1, 31, 17], [1, 23, 31], true, true),
      sample("transposed-vectors", [2, 36, 60], [1, 28, 36], true, true),
      sample("batched", [5, 17, 19], [5, 19, 13]),
      sample("shared-right", [5, 17, 19], [1, 19, 13]),
      sample("row", [1, 1, 129], [1, 129, 65]),
      sample("column", [1, 65, 129], [1, 129, 1]),
      sample("long-inner", [1, 8, 2049], [1, 2049, 12]),
      // What GPUs compute in the product's own kernel: a step or two of rounding more, of a slope below 1.13.
      Sample(
        "bias-gelu", inputs: [.init([256, 64]), .init([64, 256]), .init([256])], tolerance: .sum(of: 64 + 70),
        flops: 256 * 256 * (2 * 64 + 10), isDifferentiable: false
      ) { ($0[0].matrixProduct($0[1]) + $0[2]).gelu() },
    ]
  }
}
