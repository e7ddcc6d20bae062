import HeklaArrays
import HeklaDevices

/// `A = V diag(w) V^T` for each symmetric `A` of `[batch, n, n]`: the columns of `V` are the eigenvectors.
///
/// Further result: the eigenvalues `w`, ascending, `[batch, n]`. Only the lower triangle of `A` is read. Each
/// vector's element of largest absolute value, the first of equals, is positive. A matrix with an element that is not
/// finite gives NaN.
struct SymmetricEigen: Primitive {
  var name: String { "symmetric-eigen" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    requireSquareMatrices(inputs[0], for: name)
    return inputs[0]
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    [Signature(Shape(Array(inputs[0].shape.extents.prefix(2))), inputs[0].elementType)]
  }

  // MARK: Gradient

  /// `S = V (diag(dw) + K * (V^T dV)) V^T` with `K[i, j] = 1 / (w[j] - w[i])`, and 0 where both are equal: vectors
  /// of one eigenvalue have no derivative, and what flows into their directions within its space is dropped.
  /// Source: Giles 2008, section 3.1; Magnus 1985, "On differentiating eigenvalues and eigenvectors".
  func gradient(_ context: GradientContext) -> [Tensor?] {
    let vectors = context.output
    let values = SecondaryOutput.outputs(of: vectors.node)[0]
    let gaps = (values.expanded(at: 1) - values.expanded(at: 2)).invertedUnlessZero()
    var inner = gaps * Tensor.product(vectors, context.upstream, transposingLeft: true)
    if let upstream = context.secondaryUpstreams[0] { inner = inner + upstream.embeddedAsDiagonal() }
    let free = Tensor.product(vectors.matrixProduct(inner), vectors, transposingRight: true)
    return [free.foldedOntoLowerTriangle()]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(converting: decomposed(inputs[0]).vectors, shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    [
      HostArray(
        converting: decomposed(inputs[0]).values, shape: signatures[0].shape, to: signatures[0].elementType)
    ]
  }

  private func decomposed(_ input: HostArray) -> (vectors: [Double], values: [Double]) {
    let (batch, n) = (input.shape[0], input.shape[1])
    let all = input.doubles()
    var (vectors, values): ([Double], [Double]) = ([], [])
    for item in 0..<batch {
      let matrix = (0..<n * n).map { at in all[item * n * n + max(at / n, at % n) * n + min(at / n, at % n)] }
      let (columns, found) = jacobiEigenvectors(of: matrix, n)
      let order = (0..<n).sorted { found[$0] < found[$1] }
      values += order.map { found[$0] }
      vectors += (0..<n * n).map { at in columns[order[at % n]][at / n] }
    }
    return (vectors, values)
  }

  // MARK: Operations

  /// The classical method's count, whatever method a kernel takes. Source: Golub and Van Loan 2013, section 8.3.
  func operationCount(of inputs: [Signature]) -> Double? {
    let shape = inputs[0].shape
    let n = Double(shape[1])
    return 9 * Double(shape[0]) * n * n * n
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(_ label: String, _ batch: Int, _ n: Int, _ type: ElementType = .float32) -> Sample {
      // The diagonal 0, 1, 2, ... keeps eigenvalues apart, on whose gaps the vectors' errors depend.
      Sample(
        label, inputs: [.init([batch, n, n], type)], tolerance: .normwise(400 * Double(n + 1)),
        flops: SymmetricEigen().flops([batch, n, n]),
        isDifferentiable: n < 10
      ) {
        let spread = Tensor.range(n).converted(to: type).embeddedAsDiagonal()
        return ($0[0] * (0.5 / Double(n)) + spread).symmetricEigen().vectors
      }
    }
    return [
      sample("one", 3, 1), sample("two", 2, 2), sample("batch-5", 3, 5), sample("edge-31", 1, 31),
      sample("edge-33", 1, 33), sample("double-8", 2, 8, .float64),
    ]
  }
}

/// The eigenvectors and eigenvalues, in no order, of a symmetric matrix, by cyclic Jacobi rotations.
///
/// Each vector's element of largest absolute value is positive. Source: Golub and Van Loan 2013, section 8.5.
func jacobiEigenvectors(of symmetric: [Double], _ n: Int) -> (vectors: [[Double]], values: [Double]) {
  var a = symmetric
  var v = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0.0 } }
  for _ in 0..<40 {
    var off = 0.0
    for p in 0..<n {
      for q in 0..<n where p != q { off += a[p * n + q] * a[p * n + q] }
    }
    if off < 1e-30 * a.reduce(1e-300, { $0 + $1 * $1 }) { break }
    for p in 0..<n {
      for q in p + 1..<max(n, p + 1) where a[p * n + q] != 0 {
        let theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<n {
          let (x, y) = (a[k * n + p], a[k * n + q])
          a[k * n + p] = c * x - s * y
          a[k * n + q] = s * x + c * y
        }
        for k in 0..<n {
          let (x, y) = (a[p * n + k], a[q * n + k])
          a[p * n + k] = c * x - s * y
          a[q * n + k] = s * x + c * y
          let (left, right) = (v[p][k], v[q][k])
          v[p][k] = c * left - s * right
          v[q][k] = s * left + c * right
        }
      }
    }
  }
  for i in 0..<n {
    let largest = v[i].reduce(0) { abs($1) > abs($0) ? $1 : $0 }
    if largest < 0 { v[i] = v[i].map { -$0 } }
  }
  return (v, (0..<n).map { a[$0 * n + $0] })
}

extension Tensor {
  /// 1 / x, and 0 where x is 0.
  func invertedUnlessZero() -> Tensor {
    let (zero, one) = (Scalar.constant(0, elementType), Scalar.constant(1, elementType))
    return map { x in
      let isZero = Scalar.apply(.equal, [x, zero])
      // The quotient's divisor is never 0, so that no derivative of what is not chosen is NaN.
      return .select(isZero, zero, one / .select(isZero, one, x))
    }
  }
}
