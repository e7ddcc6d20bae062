import HeklaTensors

extension CaseTable {
  /// Discrete Fourier transforms; complex numbers lie along a last axis of extent 2.
  mutating func addFourier() {
    for length in [8, 60, 37] {
      add("fft-\(length)") { $0[0].fft() }
      add("rfft-\(length)") { $0[0].rfft() }
      add("irfft-\(length)") { $0[0].irfft(count: length) }
    }
    add("fft-1024") { $0[0].fft() }
    add("ifft") { $0[0].inverseFFT() }
    add("fft-first-axis") { $0[0].fft(along: 0) }
    add("fft2") { $0[0].fft2D() }
    add("ifft2") { $0[0].inverseFFT2D() }
    add("rfft-first-axis") { $0[0].rfft(along: 0) }
  }

  /// Factorizations and solutions. Factors that are unique only up to signs go through what does not see them.
  mutating func addLinearAlgebra() {
    /// Symmetric and positive definite, from any matrices.
    func positiveDefinite(_ x: Tensor) -> Tensor {
      x.matrixProduct(x.transposed()) + Tensor.identity(x.shape[-1]) * Double(x.shape[-1])
    }
    func symmetric(_ x: Tensor) -> Tensor { (x + x.transposed()) * 0.5 }
    /// Well away from singular.
    func dominant(_ x: Tensor) -> Tensor { x + Tensor.identity(x.shape[-1]) * 4 }
    add("cholesky") { positiveDefinite($0[0]).cholesky() }
    add("cholesky-batched") { positiveDefinite($0[0]).cholesky() }
    add("solve-positive-definite") { positiveDefinite($0[0]).solvePositiveDefinite($0[1]) }
    add("inverse-positive-definite") { positiveDefinite($0[0]).inversePositiveDefinite() }
    add("logdet-positive-definite") { positiveDefinite($0[0]).logDeterminantPositiveDefinite() }
    add("solve-triangular-lower") { dominant($0[0]).triangularSolve($0[1]) }
    add("solve-triangular-upper") { dominant($0[0]).triangularSolve($0[1], isLower: false) }
    add("solve-triangular-transposed") { dominant($0[0]).triangularSolve($0[1], isTransposed: true) }
    add("solve-triangular-unit") { $0[0].triangularSolve($0[1], hasUnitDiagonal: true) }
    add("solve") { dominant($0[0]).solve($0[1]) }
    add("solve-batched") { dominant($0[0]).solve($0[1]) }
    add("inverse") { dominant($0[0]).inverse() }
    addSeveral("slogdet") {
      let (sign, logarithm) = $0[0].logDeterminant()
      return [sign, logarithm]
    }
    add("det") {
      let (sign, logarithm) = $0[0].logDeterminant()
      return sign * logarithm.exp()
    }
    addSeveral("qr") {
      let (q, r) = $0[0].qrFactorization()
      return [q, r]
    }
    add("eigenvalues-symmetric") { symmetric($0[0]).symmetricEigen().values }
    add("eigh-function") {
      let (vectors, values) = symmetric($0[0]).symmetricEigen()
      return (vectors * values.tanh().expanded(at: -2)).matrixProduct(vectors.transposed())
    }
    add("singular-values") { $0[0].singularValueDecomposition().values }
    add("svd-function") {
      let (u, values, vTransposed) = $0[0].singularValueDecomposition()
      return (u * values.tanh().expanded(at: -2)).matrixProduct(vTransposed)
    }
  }
}
