import HeklaArrays

extension Tensor {
  /// The matrix with ones on the diagonal, `[n, n]`.
  public static func identity(_ n: Int, _ elementType: ElementType = .float32) -> Tensor {
    let isDiagonal = Scalar.apply(.equal, [.coordinate(0), .coordinate(1)])
    return Tensor(
      Map(
        .select(isDiagonal, .constant(1, elementType), .constant(0, elementType)), shape: [n, n],
        elementType: elementType), [])
  }

  /// The matrices with zeros above diagonal number `diagonal`: 0 is the main one, those below are negative.
  public func lowerTriangle(diagonal: Int = 0) -> Tensor {
    keeping { row, column in .apply(.lessOrEqual, [column, row + .constant(Double(diagonal), .int32)]) }
  }

  /// The matrices with zeros below diagonal number `diagonal`: 0 is the main one, those above are positive.
  public func upperTriangle(diagonal: Int = 0) -> Tensor {
    keeping { row, column in .apply(.lessOrEqual, [row + .constant(Double(diagonal), .int32), column]) }
  }

  /// The diagonals of the matrices, `[..., min(m, n)]`.
  public func diagonal(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    requireMatrices("diagonal", file: file, line: line)
    let n = Swift.min(shape[-2], shape[-1])
    let square = sliced(0..<n, along: -2).sliced(0..<n, along: -1)
    return (square * .identity(n, elementType)).sum(along: -1)
  }

  /// The matrices with these diagonals and zeros elsewhere, `[..., n, n]`.
  public func asDiagonals() -> Tensor { expanded(at: -1) * .identity(shape[-1], elementType) }

  private func keeping(_ isKept: (_ row: Scalar, _ column: Scalar) -> Scalar) -> Tensor {
    requireMatrices("triangle", file: #fileID, line: #line)
    let kept = isKept(.coordinate(rank - 2), .coordinate(rank - 1))
    return map { .select(kept, $0, .constant(0, elementType)) }
  }

  func requireMatrices(_ operation: String, file: StaticString, line: UInt) {
    require(rank >= 2, "\(operation): \(shape) are no matrices [..., m, n]", file: file, line: line)
  }

  /// The diagonals of the matrices times `factor`.
  func scaledDiagonal(by factor: Double) -> Tensor {
    let isDiagonal = Scalar.apply(.equal, [.coordinate(rank - 2), .coordinate(rank - 1)])
    return map { .select(isDiagonal, $0 * Scalar(factor), $0) }
  }

  /// The gradient of a function that reads only the lower triangle of a symmetric matrix, from the one that treats
  /// its elements as free: each element below the diagonal stands for two.
  func foldedOntoLowerTriangle() -> Tensor { (self + transposed()).scaledDiagonal(by: 0.5).lowerTriangle() }
}
