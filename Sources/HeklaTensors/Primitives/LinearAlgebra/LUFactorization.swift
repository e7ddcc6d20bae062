import HeklaArrays
import HeklaDevices

/// `P A = L U` with partial pivoting for each `A` of `[batch, n, n]`, as one matrix: `U` on and above the diagonal,
/// `L` below it, whose diagonal is ones.
///
/// Further results: the permutation, `int32[batch, n]` (row `i` of `P A` is row `permutation[i]` of `A`), and its
/// sign, 1 or -1, `[batch]`. A singular matrix gives a zero on the diagonal of `U`.
struct LUFactorization: Primitive {
  var name: String { "lu-factorization" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    requireSquareMatrices(inputs[0], for: name)
    return inputs[0]
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    let shape = inputs[0].shape
    return [Signature([shape[0], shape[1]], .int32), Signature([shape[0]], inputs[0].elementType)]
  }

  // MARK: Gradient

  /// `dA = P^T L^-T (tril(L^T dL, -1) + triu(dU U^T)) U^-T`.
  /// Source: de Hoog, Anderssen and Lukas 2011, "Differentiation of matrix functionals using triangular factorization".
  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (packed, upstream) = (context.output, context.upstream)
    let n = packed.shape[1]
    let lower = packed.lowerTriangle(diagonal: -1) + Tensor.identity(n, packed.elementType)
    let inner =
      Tensor.product(lower, upstream.lowerTriangle(diagonal: -1), transposingLeft: true).lowerTriangle(
        diagonal: -1)
      + Tensor.product(upstream.upperTriangle(), packed.upperTriangle(), transposingRight: true)
      .upperTriangle()
    let left = packed.triangularSolve(inner, isTransposed: true, hasUnitDiagonal: true)
    // X U^-T = (U^-1 X^T)^T.
    let both = packed.triangularSolve(left.transposed(), isLower: false).transposed()
    let permutation = SecondaryOutput.outputs(of: packed.node)[0].permutationMatrices(packed.elementType)
    return [Tensor.product(permutation, both, transposingLeft: true)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(converting: factors(inputs[0]).packed, shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    let all = factors(inputs[0])
    return zip([all.permutation, all.signs], signatures).map {
      HostArray(converting: $0, shape: $1.shape, to: $1.elementType)
    }
  }

  private func factors(_ input: HostArray) -> (packed: [Double], permutation: [Double], signs: [Double]) {
    let (batch, n) = (input.shape[0], input.shape[1])
    var packed = input.doubles()
    var permutation: [Double] = []
    var signs: [Double] = []
    for item in 0..<batch {
      func place(_ row: Int, _ column: Int) -> Int { (item * n + row) * n + column }
      var order = Array(0..<n)
      var sign = 1.0
      for j in 0..<n {
        var best = j
        for row in j..<n where abs(packed[place(row, j)]) > abs(packed[place(best, j)]) { best = row }
        if best != j {
          for column in 0..<n { packed.swapAt(place(j, column), place(best, column)) }
          order.swapAt(j, best)
          sign = -sign
        }
        guard packed[place(j, j)] != 0 else { continue }
        for row in j + 1..<max(n, j + 1) {
          packed[place(row, j)] /= packed[place(j, j)]
          for column in j + 1..<n {
            packed[place(row, column)] -= packed[place(row, j)] * packed[place(j, column)]
          }
        }
      }
      permutation += order.map(Double.init)
      signs.append(sign)
    }
    return (packed, permutation, signs)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let shape = inputs[0].shape
    let n = Double(shape[1])
    return Double(shape[0]) * n * n * n * 2 / 3
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(_ label: String, _ batch: Int, _ n: Int, _ type: ElementType = .float32) -> Sample {
      // The growth of elimination with pivoting is small on random matrices; their condition is some 10 n.
      Sample(
        label, inputs: [.init([batch, n, n], type)], tolerance: .normwise(100 * Double(n + 1)),
        flops: LUFactorization().flops([batch, n, n]), isDifferentiable: n < 10
      ) { $0[0].luFactorization().packed }
    }
    return [
      sample("one", 3, 1), sample("two", 2, 2), sample("batch-6", 3, 6), sample("edge-33", 2, 33),
      sample("edge-65", 1, 65), sample("prime-131", 2, 131), sample("double-35", 2, 35, .float64),
    ]
  }
}

extension Tensor {
  /// The matrices `P` with `P[i, permutation[i]] = 1` of permutations `[..., n]`.
  func permutationMatrices(_ type: ElementType) -> Tensor {
    let n = shape[-1]
    let columns = Tensor.range(n)
    return Tensor.map(expanded(at: -1), columns) {
      .select(.apply(.equal, [$0, $1]), .constant(1, type), .constant(0, type))
    }
  }
}
