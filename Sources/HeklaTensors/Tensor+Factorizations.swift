import HeklaArrays

/// Factorizations of batches of matrices, and what is made of them.
///
/// NaN in a matrix gives NaN, in its own results only. Large matrices are for the cpu device: elsewhere
/// one workgroup reflects a whole matrix, and eigenvalues and singular values are found of up to 256 columns.
extension Tensor {
  /// `P A = L U` with partial pivoting, for matrices `[..., n, n]`.
  ///
  /// - Returns: `packed` holds `U` on and above the diagonal and `L`, whose diagonal is ones, below it; row `i` of
  ///   `P A` is row `permutation[i]` of `A`, `int32[..., n]`; `sign` is the permutation's, 1 or -1, `[...]`.
  public func luFactorization(
    file: StaticString = #fileID, line: UInt = #line
  ) -> (packed: Tensor, permutation: Tensor, sign: Tensor) {
    let results = factored(LUFactorization(), "lu-factorization", file: file, line: line)
    return (results[0], results[1], results[2])
  }

  /// The `X` with `A X = B` for these matrices `A`, `[..., n, n]`, by `luFactorization()`.
  ///
  /// A singular matrix divides by zero. For symmetric positive definite ones see `solvePositiveDefinite(_:)`.
  /// - Parameter rightSides: `B`, `[..., n, k]`; outer axes broadcast.
  public func solve(_ rightSides: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let (packed, permutation, _) = luFactorization(file: file, line: line)
    let permuted = permutation.permutationMatrices(elementType).matrixProduct(rightSides)
    return packed.triangularSolve(
      packed.triangularSolve(permuted, hasUnitDiagonal: true, file: file, line: line), isLower: false,
      file: file,
      line: line)
  }

  /// The inverses of these matrices, `[..., n, n]`; solving is cheaper and more exact than multiplying by them.
  public func inverse(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    requireMatrices("inverse", file: file, line: line)
    return solve(.identity(shape[-1], elementType), file: file, line: line)
  }

  /// The sign and the logarithm of the absolute value of each determinant, `[...]`.
  public func logDeterminant(
    file: StaticString = #fileID, line: UInt = #line
  ) -> (sign: Tensor, logarithm: Tensor) {
    let (packed, _, sign) = luFactorization(file: file, line: line)
    let diagonal = packed.diagonal()
    let signs = diagonal.map { .sign($0) }.product(along: -1)
    // The determinant of a matrix without elements is 1.
    return (shape[-1] > 0 ? sign * signs : signs, diagonal.absolute().log().sum(along: -1))
  }

  /// `A = Q R` for matrices `[..., m, n]` with m >= n: orthonormal columns `[..., m, n]` and an upper triangle
  /// `[..., n, n]` whose diagonal is not negative. Gradients ask for full rank.
  public func qrFactorization(file: StaticString = #fileID, line: UInt = #line) -> (q: Tensor, r: Tensor) {
    let results = factored(QRFactorization(), "qr-factorization", file: file, line: line)
    return (results[0], results[1])
  }

  /// `A = V diag(w) V^T` for symmetric matrices `[..., n, n]`, of which the lower triangle is read: the columns of
  /// `vectors` and the ascending `values`, `[..., n]`.
  ///
  /// Each vector's element of largest absolute value, the first of equals, is positive. Vectors of equal values have no
  /// derivative: what would flow through their directions is dropped; functions of the values alone are not concerned.
  public func symmetricEigen(file: StaticString = #fileID, line: UInt = #line) -> (
    vectors: Tensor, values: Tensor
  ) {
    let results = factored(SymmetricEigen(), "symmetric-eigen", file: file, line: line)
    return (results[0], results[1])
  }

  /// `A = U diag(s) V^T` for matrices `[..., m, n]`, with k = min(m, n): `u` is `[..., m, k]`, `values` are `s`,
  /// descending, `[..., k]`, and `vTransposed` is `[..., k, n]`.
  ///
  /// The element of largest absolute value of each column of `u` is positive. Vectors of equal values, and of 0, have
  /// no derivative: what would flow there is dropped.
  public func singularValueDecomposition(
    file: StaticString = #fileID, line: UInt = #line
  ) -> (u: Tensor, values: Tensor, vTransposed: Tensor) {
    let results = factored(SingularValues(), "singular-values", file: file, line: line)
    return (results[0], results[1], results[2])
  }

  /// All results of `primitive` on these matrices, with their outer axes.
  private func factored(
    _ primitive: any Primitive, _ operation: String, file: StaticString, line: UInt
  ) -> [Tensor] {
    requireMatrices(operation, file: file, line: line)
    let outer = Array(shape.extents.dropLast(2))
    let batched = Signature(Shape([outer.reduce(1, *)] + shape.extents.suffix(2)), elementType)
    func unbatched(_ shape: Shape) -> Shape { Shape(outer + shape.extents.dropFirst()) }
    guard shape.count > 0 else {
      let signatures = [primitive.signature(of: [batched])] + primitive.secondarySignatures(of: [batched])
      return signatures.map { .zeros(unbatched($0.shape), $0.elementType) }
    }
    let main = Tensor(primitive, [reshaped(to: batched.shape)])
    return ([main] + SecondaryOutput.outputs(of: main.node)).map { $0.reshaped(to: unbatched($0.shape)) }
  }
}
