import HeklaArrays
import HeklaDevices

/// `A = U diag(s) V^T` for each `A` of `[batch, m, n]`, with k = min(m, n): `U` is `[batch, m, k]`.
///
/// Further results: the singular values `s`, descending, `[batch, k]`, and `V^T`, `[batch, k, n]`. The element of
/// largest absolute value of each column of `U`, the first of equals, is positive. The columns of `U` and `V` are
/// orthonormal whatever the rank. A matrix with an element that is not finite gives NaN.
struct SingularValues: Primitive {
  var name: String { "singular-values" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (shape, type) = (inputs[0].shape, inputs[0].elementType)
    require(
      shape.rank == 3 && type.isReal,
      "singular-values: \(inputs[0]) are not matrices [batch, m, n] of float32 or float64")
    return Signature([shape[0], shape[1], min(shape[1], shape[2])], type)
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    let (shape, type) = (inputs[0].shape, inputs[0].elementType)
    let k = min(shape[1], shape[2])
    return [Signature([shape[0], k], type), Signature([shape[0], k, shape[2]], type)]
  }

  // MARK: Gradient

  /// With `F[i, j] = 1 / (s[j]^2 - s[i]^2)`, 0 where both are equal, and `skew(X) = X - X^T`:
  /// `U (F * skew(U^T dU) S + S F * skew(V^T dV) + diag(ds)) V^T`, and for tall or wide matrices what lies outside
  /// of the spaces of U and V. Equal singular values have no derivative of their vectors, a value of 0 none at all.
  /// Source: Giles 2008, section 3.2; Townsend 2016, "Differentiating the singular value decomposition".
  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (u, du) = (context.output, context.upstream)
    let further = SecondaryOutput.outputs(of: u.node)
    let (s, vt) = (further[0], further[1])
    let (rows, columns) = (s.expanded(at: 2), s.expanded(at: 1))
    let gaps = ((columns - rows) * (columns + rows)).invertedUnlessZero()
    let inverse = s.invertedUnlessZero()
    func skew(_ x: Tensor) -> Tensor { x - x.transposed() }

    let projected = Tensor.product(u, du, transposingLeft: true)
    var inner = gaps * skew(projected) * columns
    if let ds = context.secondaryUpstreams[0] { inner = inner + ds.embeddedAsDiagonal() }
    var outside: [Tensor] = []
    if u.shape[1] > u.shape[2] {
      outside.append(((du - u.matrixProduct(projected)) * inverse.expanded(at: 1)).matrixProduct(vt))
    }
    if let dvt = context.secondaryUpstreams[1] {
      let own = Tensor.product(vt, dvt, transposingRight: true)
      inner = inner + rows * gaps * skew(own)
      if vt.shape[2] > vt.shape[1] {
        let rest = dvt - Tensor.product(own, vt, transposingLeft: true)
        outside.append(u.matrixProduct(rest * inverse.expanded(at: 2)))
      }
    }
    return [outside.reduce(u.matrixProduct(inner).matrixProduct(vt), +)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(converting: decomposed(inputs[0]).u, shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    let all = decomposed(inputs[0])
    return zip([all.s, all.vt], signatures).map {
      HostArray(converting: $0, shape: $1.shape, to: $1.elementType)
    }
  }

  /// From the eigenvectors of the smaller of `A A^T` and `A^T A`: good for values well above 1e-8 of the largest.
  private func decomposed(_ input: HostArray) -> (u: [Double], s: [Double], vt: [Double]) {
    let (batch, m, n) = (input.shape[0], input.shape[1], input.shape[2])
    let k = min(m, n)
    let all = input.doubles()
    var (u, s, vt): ([Double], [Double], [Double]) = ([], [], [])
    for item in 0..<batch {
      func element(_ row: Int, _ column: Int) -> Double { all[(item * m + row) * n + column] }
      // `short` runs along the smaller extent.
      func turned(_ short: Int, _ long: Int) -> Double {
        m <= n ? element(short, long) : element(long, short)
      }
      var gram = [Double](repeating: 0, count: k * k)
      for i in 0..<k {
        for j in 0..<k {
          for l in 0..<max(m, n) { gram[i * k + j] += turned(i, l) * turned(j, l) }
        }
      }
      let (vectors, squares) = jacobiEigenvectors(of: gram, k)
      let order = (0..<k).sorted { squares[$0] > squares[$1] }
      let values = order.map { max(squares[$0], 0).squareRoot() }
      var short = order.map { vectors[$0] }
      var long = short.enumerated().map { number, vector in
        (0..<max(m, n)).map { l in
          (0..<k).reduce(0) { $0 + vector[$1] * turned($1, l) } / values[number]
        }
      }
      for number in 0..<k {
        let left = m <= n ? short[number] : long[number]
        if left.reduce(0, { abs($1) > abs($0) ? $1 : $0 }) < 0 {
          short[number] = short[number].map { -$0 }
          long[number] = long[number].map { -$0 }
        }
      }
      let (left, right) = m <= n ? (short, long) : (long, short)
      for row in 0..<m { u += left.map { $0[row] } }
      s += values
      vt += right.flatMap { $0 }
    }
    return (u, s, vt)
  }

  // MARK: Operations

  /// About the classical method's count, whatever method a kernel takes. Source: Golub and Van Loan 2013, section 8.6.
  func operationCount(of inputs: [Signature]) -> Double? {
    let (batch, m, n) = (inputs[0].shape[0], inputs[0].shape[1], inputs[0].shape[2])
    return 20 * Double(batch) * Double(m) * Double(n) * Double(min(m, n))
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(_ label: String, _ batch: Int, _ m: Int, _ n: Int, _ type: ElementType = .float32) -> Sample {
      // The diagonal 1, 2, ... keeps singular values apart, on whose gaps the vectors' errors depend.
      Sample(
        label, inputs: [.init([batch, m, n], type)], tolerance: .normwise(400 * Double(m + n)),
        flops: SingularValues().flops([batch, m, n]), isDifferentiable: m < 10
      ) {
        let k = max(m, n)
        let spread = (Tensor.range(k).converted(to: type) + 1).embeddedAsDiagonal()
        return ($0[0] * (0.5 / Double(k)) + spread.sliced(0..<m, along: 0).sliced(0..<n, along: 1))
          .singularValueDecomposition().u
      }
    }
    return [
      sample("one", 3, 1, 1), sample("square-2", 2, 2, 2), sample("tall-7x4", 2, 7, 4),
      sample("wide-3x6", 2, 3, 6), sample("wide-31x33", 1, 31, 33), sample("double-8x5", 2, 8, 5, .float64),
    ]
  }
}
