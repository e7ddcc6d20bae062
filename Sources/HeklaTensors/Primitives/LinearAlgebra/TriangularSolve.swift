import HeklaArrays
import HeklaDevices

/// The `X` with `op(T) X = B` for triangular `T`, `[batch, n, n]`, and `B`, `[batch, n, k]`.
///
/// The other triangle of `T` is not read, nor is a unit diagonal. A zero on the diagonal divides by zero.
struct TriangularSolve: Primitive {
  /// `T` is lower triangular, else upper.
  let isLower: Bool
  /// `op(T)` is the transpose of `T`.
  let isTransposed: Bool
  /// The diagonal counts as ones.
  let hasUnitDiagonal: Bool

  var name: String { "triangular-solve" }
  var attributes: String { (isLower ? "L" : "U") + (isTransposed ? "T" : "N") + (hasUnitDiagonal ? "1" : "") }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    requireSquareMatrices(inputs[0], for: name)
    let (matrix, sides) = (inputs[0], inputs[1])
    require(
      sides.shape.rank == 3 && sides.elementType == matrix.elementType && sides.shape[0] == matrix.shape[0]
        && sides.shape[1] == matrix.shape[1],
      "triangular-solve: right sides \(sides) do not fit matrices \(matrix)")
    return sides
  }

  // MARK: Gradient

  /// `dB = op(T)^-T dX`, and `dT = -dB X^T` on the triangle that is read, transposed where `T` is.
  /// Source: Giles 2008, "An extended collection of matrix derivative results", section 2.2.
  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (matrix, solution) = (context.inputs[0], context.output)
    let sides = matrix.triangularSolve(
      context.upstream, isLower: isLower, isTransposed: !isTransposed, hasUnitDiagonal: hasUnitDiagonal)
    let outer =
      isTransposed
      ? Tensor.product(solution, sides, transposingRight: true)
      : Tensor.product(sides, solution, transposingRight: true)
    let diagonal = hasUnitDiagonal ? 1 : 0
    return [
      isLower ? -outer.lowerTriangle(diagonal: -diagonal) : -outer.upperTriangle(diagonal: diagonal), sides,
    ]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (batch, n, columns) = (signature.shape[0], signature.shape[1], signature.shape[2])
    let matrix = inputs[0].doubles()
    var x = inputs[1].doubles()
    let isForward = isLower != isTransposed
    for item in 0..<batch {
      func element(_ row: Int, _ column: Int) -> Double {
        matrix[item * n * n + (isTransposed ? column * n + row : row * n + column)]
      }
      for column in 0..<columns {
        for step in 0..<n {
          let row = isForward ? step : n - 1 - step
          var rest = x[(item * n + row) * columns + column]
          for other in isForward ? 0..<row : row + 1..<n {
            rest -= element(row, other) * x[(item * n + other) * columns + column]
          }
          x[(item * n + row) * columns + column] = hasUnitDiagonal ? rest : rest / element(row, row)
        }
      }
    }
    return HostArray(converting: x, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    let (batch, n, columns) = (inputs[1].shape[0], inputs[1].shape[1], inputs[1].shape[2])
    return Double(batch) * Double(n) * Double(n) * Double(columns)
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(
      _ label: String, _ batch: Int, _ n: Int, _ columns: Int, _ form: String = "LN",
      _ type: ElementType = .float32
    ) -> Sample {
      // Small numbers beside a diagonal of 2 (of 1): the solutions stay small and the conditions low.
      Sample(
        label, inputs: [.init([batch, n, n], type), .init([batch, n, columns], type)],
        tolerance: .normwise(8 * Double(n + 8)), flops: batch * n * n * columns, isDifferentiable: n < 10
      ) {
        let matrix = $0[0] * (1 / Double(n)) + Tensor.identity(n, type) * 2
        return matrix.triangularSolve(
          $0[1], isLower: form.contains("L"), isTransposed: form.contains("T"),
          hasUnitDiagonal: form.contains("1"))
      }
    }
    return [
      sample("one", 3, 1, 2), sample("ones", 1, 1, 1), sample("block-32", 1, 32, 33),
      sample("two-upper", 2, 2, 1, "UN"), sample("unit-5", 2, 5, 3, "LN1"),
      sample("unit-upper-5", 2, 5, 3, "UT1"), sample("lower-31", 2, 31, 5),
      sample("lower-transposed-33", 2, 33, 40, "LT"),
      sample("upper-65", 1, 65, 17, "UN"), sample("upper-transposed-65", 2, 65, 1, "UT"),
      sample("lower-transposed-7", 4, 7, 2, "LT"), sample("upper-transposed-6", 1, 6, 6, "UT"),
      sample("many-right-sides", 1, 40, 130), sample("double-33", 2, 33, 5, "LN", .float64),
    ]
  }
}
