import HeklaArrays

extension Tensor {
  /// Stops the program where this is no matrix or stack of matrices.
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
