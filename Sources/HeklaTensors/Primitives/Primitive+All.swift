extension Sample {
  /// The samples of every primitive, by the primitive's name: what conformance, gradient checks and `gpubench` walk.
  public static let all: [(primitive: String, samples: [Sample])] = [
    ("broadcast", Broadcast.samples),
    ("cholesky", Cholesky.samples),
    ("concatenate", Concatenate.samples),
    ("flip", Flip.samples),
    ("fourier", Fourier.samples),
    ("gather", Gather.samples),
    ("lu-factorization", LUFactorization.samples),
    ("map", Map.samples),
    ("matrix-product", MatrixProduct.samples),
    ("pad", Pad.samples),
    ("permute", Permute.samples),
    ("qr-factorization", QRFactorization.samples),
    ("reduction", Reduction.samples),
    ("reshape", Reshape.samples),
    ("scatter-sum", ScatterSum.samples),
    ("singular-values", SingularValues.samples),
    ("slice", Slice.samples),
    ("symmetric-eigen", SymmetricEigen.samples),
    ("triangular-solve", TriangularSolve.samples),
  ]
}
