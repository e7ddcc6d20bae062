import HeklaArrays
import HeklaDevices

/// `A = Q R` for each `A` of `[batch, m, n]`, m >= n: `Q`, `[batch, m, n]`, has orthonormal columns.
///
/// Further result: `R`, upper triangular `[batch, n, n]` with a diagonal that is not negative, which makes both
/// unique where `A` has full rank. The gradient asks for full rank.
struct QRFactorization: Primitive {
  var name: String { "qr-factorization" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let matrix = inputs[0]
    require(
      matrix.shape.rank == 3 && matrix.elementType.isReal && matrix.shape[1] >= matrix.shape[2],
      "qr-factorization: \(matrix) are not matrices [batch, m, n] of float32 or float64 with m >= n")
    return matrix
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    let shape = inputs[0].shape
    return [Signature([shape[0], shape[2], shape[2]], inputs[0].elementType)]
  }

  // MARK: Gradient

  /// With `M = R dR^T - dQ^T Q` and its lower triangle copied onto the upper: `dA = (dQ + Q copy(M)) R^-T`.
  /// Source: Walter and Lehmann 2010, "Algorithmic differentiation of linear algebra functions", section 3.3.
  func gradient(_ context: GradientContext) -> [Tensor?] {
    let q = context.output
    let r = SecondaryOutput.outputs(of: q.node)[0]
    var m = -Tensor.product(context.upstream, q, transposingLeft: true)
    if let upstream = context.secondaryUpstreams[0] {
      m = m + Tensor.product(r, upstream.upperTriangle(), transposingRight: true)
    }
    let mirrored = m.lowerTriangle() + m.lowerTriangle(diagonal: -1).transposed()
    let right = context.upstream + q.matrixProduct(mirrored)
    return [r.triangularSolve(right.transposed(), isLower: false).transposed()]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(converting: factors(inputs[0]).q, shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    [HostArray(converting: factors(inputs[0]).r, shape: signatures[0].shape, to: signatures[0].elementType)]
  }

  /// Gram and Schmidt, each column twice: orthogonal to rounding.
  private func factors(_ input: HostArray) -> (q: [Double], r: [Double]) {
    let (batch, m, n) = (input.shape[0], input.shape[1], input.shape[2])
    var q = input.doubles()
    var r = [Double](repeating: 0, count: batch * n * n)
    for item in 0..<batch {
      func place(_ row: Int, _ column: Int) -> Int { (item * m + row) * n + column }
      for j in 0..<n {
        for _ in 0..<2 {
          for i in 0..<j {
            var dot = 0.0
            for row in 0..<m { dot += q[place(row, i)] * q[place(row, j)] }
            for row in 0..<m { q[place(row, j)] -= dot * q[place(row, i)] }
            r[(item * n + i) * n + j] += dot
          }
        }
        var square = 0.0
        for row in 0..<m { square += q[place(row, j)] * q[place(row, j)] }
        r[(item * n + j) * n + j] = square.squareRoot()
        for row in 0..<m { q[place(row, j)] /= square.squareRoot() }
      }
    }
    return (q, r)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let (batch, m, n) = (inputs[0].shape[0], inputs[0].shape[1], inputs[0].shape[2])
    return 4 * Double(batch) * Double(m) * Double(n) * Double(n)
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(_ label: String, _ batch: Int, _ m: Int, _ n: Int, _ type: ElementType = .float32) -> Sample {
      // A diagonal keeps the condition low, which the last columns' errors grow with.
      Sample(
        label, inputs: [.init([batch, m, n], type)], tolerance: .normwise(100 * Double(m + 1)),
        flops: QRFactorization().flops([batch, m, n]), isDifferentiable: m < 10
      ) {
        let ones = Tensor.identity(m, type).sliced(0..<n, along: 1)
        return ($0[0] * (1 / Double(m)) + ones).qrFactorization().q
      }
    }
    return [
      sample("one", 3, 1, 1), sample("square-2", 2, 2, 2), sample("tall-7x4", 3, 7, 4),
      sample("square-33", 2, 33, 33), sample("tall-65x31", 1, 65, 31), sample("tall-131x3", 2, 131, 3),
      sample("wider-than-a-group-71", 1, 71, 67), sample("double-11x6", 2, 11, 6, .float64),
    ]
  }
}
