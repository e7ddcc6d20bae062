import HeklaArrays
import HeklaDevices

/// The lower triangular `L` with `L L^T = A` for each symmetric positive definite `A` of `[batch, n, n]`.
///
/// Only the lower triangle of `A` is read. Where `A` is not positive definite, the factor is NaN on and below
/// the diagonal from the first column on whose pivot is not positive.
struct Cholesky: Primitive {
  var name: String { "cholesky" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    requireSquareMatrices(inputs[0], for: name)
    return inputs[0]
  }

  // MARK: Gradient

  /// With `P` the lower triangle of `L^T dL`, its diagonal halved: `S = L^-T P L^-1`, of which the lower triangle
  /// of `A` collects both halves. Source: Murray 2016, "Differentiation of the Cholesky decomposition", eq. 10.
  func gradient(_ context: GradientContext) -> [Tensor?] {
    let factor = context.output
    let inner = Tensor.product(factor, context.upstream, transposingLeft: true)
      .lowerTriangle().scaledDiagonal(by: 0.5)
    let left = factor.triangularSolve(inner, isTransposed: true)
    let both = factor.triangularSolve(left.transposed(), isTransposed: true).transposed()
    return [both.foldedOntoLowerTriangle()]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (batch, n) = (signature.shape[0], signature.shape[1])
    let a = inputs[0].doubles()
    var factor = [Double](repeating: 0, count: a.count)
    for start in stride(from: 0, to: batch * n * n, by: n * n) {
      for j in 0..<n {
        for i in j..<n {
          var rest = a[start + i * n + j]
          for k in 0..<j { rest -= factor[start + i * n + k] * factor[start + j * n + k] }
          let pivot = i == j ? rest.squareRoot() : factor[start + j * n + j]
          factor[start + i * n + j] = pivot > 0 ? (i == j ? pivot : rest / pivot) : .nan
        }
      }
    }
    return HostArray(converting: factor, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let shape = inputs[0].shape
    let n = Double(shape[1])
    return Double(shape[0]) * n * n * n / 3
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(_ label: String, _ batch: Int, _ n: Int, _ type: ElementType = .float32) -> Sample {
      // The matrices' condition is below 10, and so their factors' errors are a small multiple of n half-units.
      Sample(
        label, inputs: [.init([batch, n, n], type)], tolerance: .normwise(8 * Double(n + 8)),
        flops: Cholesky().flops([batch, n, n]), isDifferentiable: n < 10
      ) { $0[0].positiveDefinite().cholesky() }
    }
    return [
      sample("one", 3, 1), sample("two", 2, 2), sample("batch-7", 5, 7), sample("edge-31", 1, 31),
      sample("block-32", 2, 32), sample("edge-33", 3, 33), sample("edge-63", 1, 63),
      sample("block-64", 1, 64), sample("edge-65", 2, 65),
      sample("blocks-130", 1, 130),
      sample("double-33", 2, 33, .float64),
    ]
  }
}

extension Primitive {
  /// Stops the program when `matrices` is not `[batch, n, n]` of real numbers.
  func requireSquareMatrices(_ matrices: Signature, for operation: String) {
    require(
      matrices.shape.rank == 3 && matrices.shape[1] == matrices.shape[2] && matrices.elementType.isReal,
      "\(operation): \(matrices) are not square matrices [batch, n, n] of float32 or float64")
  }
}

extension ElementType {
  /// Whether linear algebra is computed on it.
  var isReal: Bool { self == .float32 || self == .float64 }
}

extension Tensor {
  /// `X X^T / n + I / 2` for the square matrices `X`: matrices to try factorizations on.
  func positiveDefinite() -> Tensor {
    let n = shape[-1]
    return Tensor.product(self, self, transposingRight: true) * (1 / Double(n)) + Tensor.identity(
      n, elementType) * 0.5
  }
}
