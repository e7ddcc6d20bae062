import HeklaArrays

/// Factorizations and solutions of batches of small and middle-sized matrices, `[..., n, n]`.
extension Tensor {
  /// The lower triangular `L` with `L L^T` = this, for symmetric positive definite matrices `[..., n, n]`.
  ///
  /// Only the lower triangles are read, and gradients arrive there. A matrix that is not positive definite
  /// stops nothing: its factor is NaN from the first bad column on, and what is computed from it as well.
  public func cholesky(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    onMatrices("cholesky", file: file, line: line) { Tensor(Cholesky(), [$0]) }
  }

  /// The `X` with `op(T) X = B` for these triangular matrices `T`, `[..., n, n]`.
  ///
  /// - Parameters:
  ///   - rightSides: `B`, `[..., n, k]`; outer axes broadcast.
  ///   - isLower: `T` is lower triangular, else upper; the other triangle is not read.
  ///   - isTransposed: `op(T)` is the transpose of `T`.
  ///   - hasUnitDiagonal: The diagonal counts as ones and is not read.
  public func triangularSolve(
    _ rightSides: Tensor, isLower: Bool = true, isTransposed: Bool = false, hasUnitDiagonal: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let (matrices, sides, outer) = pairedForSolving(with: rightSides, file: file, line: line)
    guard sides.shape.count > 0 else {
      return .zeros(Shape(outer + sides.shape.extents.suffix(2)), elementType)
    }
    let primitive = TriangularSolve(
      isLower: isLower, isTransposed: isTransposed, hasUnitDiagonal: hasUnitDiagonal)
    return Tensor(primitive, [matrices, sides]).reshaped(to: Shape(outer + sides.shape.extents.suffix(2)))
  }

  /// The `X` with `A X = B` for these symmetric positive definite matrices `A`, by `cholesky()`.
  /// - Parameter rightSides: `B`, `[..., n, k]`; outer axes broadcast.
  public func solvePositiveDefinite(
    _ rightSides: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let factor = cholesky(file: file, line: line)
    return factor.triangularSolve(
      factor.triangularSolve(rightSides, file: file, line: line), isTransposed: true, file: file, line: line)
  }

  /// The inverses of these symmetric positive definite matrices; solving is cheaper and more exact than multiplying.
  public func inversePositiveDefinite(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    requireMatrices("inverse", file: file, line: line)
    return solvePositiveDefinite(.identity(shape[-1], elementType), file: file, line: line)
  }

  /// The logarithms of the determinants of these symmetric positive definite matrices, `[...]`.
  public func logDeterminantPositiveDefinite(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    cholesky(file: file, line: line).diagonal().log().sum(along: -1) * 2
  }

  /// Calls `body` with the matrices as one batch `[batch, m, n]`; zeros where there are none.
  func onMatrices(
    _ operation: String, file: StaticString, line: UInt, _ body: (Tensor) -> Tensor
  ) -> Tensor {
    requireMatrices(operation, file: file, line: line)
    guard shape.count > 0 else { return .zeros(shape, elementType) }
    let result = body(reshaped(to: [-1, shape[-2], shape[-1]]))
    return result.reshaped(to: Shape(shape.extents.dropLast(2) + result.shape.extents.dropFirst()))
  }

  /// These matrices and right sides as equal batches of rank 3, and their common outer extents.
  func pairedForSolving(
    with sides: Tensor, file: StaticString, line: UInt
  ) -> (matrices: Tensor, sides: Tensor, outer: [Int]) {
    let (own, others) = (Shape(shape.extents.dropLast(2)), Shape(sides.shape.extents.dropLast(2)))
    guard rank >= 2, sides.rank >= 2, shape[-1] == shape[-2], shape[-1] == sides.shape[-2],
      let outer = own.broadcast(with: others)
    else {
      stop("solve: right sides \(sides.shape) do not fit matrices \(shape)", file: file, line: line)
    }
    func batched(_ tensor: Tensor) -> Tensor {
      let extents = tensor.shape.extents.suffix(2)
      return tensor.broadcast(to: Shape(outer.extents + extents)).reshaped(to: [outer.count] + extents)
    }
    return (batched(self), batched(sides), outer.extents)
  }
}
