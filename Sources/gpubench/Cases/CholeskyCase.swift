import HeklaArrays
import HeklaTensors

extension CaseFamily {
  static let cholesky = CaseFamily(
    "cholesky",
    shape: CaseShape(
      "BATCHxN", rule: "It is BATCHxN, such as 64x256: BATCH positive definite matrices of N x N.",
      counts: 2...2, usual: "64x256", software: "8x64",
      arrays: { extents, _ in [[extents[0], extents[1], extents[1]]] }),
    summary: "the triangular factor of BATCH positive definite N x N matrices",
    members: [Member("cholesky", types: [.float32, .float64]) { .cholesky($0) }])
}

extension BenchmarkInput {
  /// `batch` matrices X X^T / n + I / 2 of n x n, where X has numbers from -1 to 1: eigenvalues from 0.5 to about 2.
  fileprivate static func positiveDefinite(batch: Int, n: Int, _ type: ElementType) -> BenchmarkInput {
    BenchmarkInput(Signature([batch, n, n], type)) { key in
      let x = numbers([batch, n, n], type).tensor(key)
      return x.matrixProduct(x.transposed()) * (1 / Double(n)) + 0.5 * Tensor.identity(n, type)
    }
  }
}

extension BenchmarkCase {
  fileprivate static func cholesky(_ parameters: CaseParameters) -> BenchmarkCase {
    let (batch, n) = (parameters.extents[0], parameters.extents[1])
    let type = parameters.elementType
    return BenchmarkCase(
      "cholesky", shape: parameters.shape, elementType: type,
      inputs: [.positiveDefinite(batch: batch, n: n, type)],
      operationCount: Double(batch) * Double(n) * Double(n) * Double(n) / 3, primitive: "cholesky",
      build: { [$0[0].cholesky()] },
      largestError: { inputs, outputs in
        CheckedFactor(n: n, roundoff: type.arithmeticRoundoff)
          .largestError(of: outputs[0].doubles(), inputs[0].doubles())
      })
  }
}

/// Triangular factors that are held to the matrices that they are of.
private struct CheckedFactor {
  let n: Int
  let roundoff: Double

  /// The largest difference of an element of L L^T from that of A, of those that are looked at, and of elements above
  /// the diagonal from 0.
  ///
  /// |A - L L^T| is at most n + 1 units times |L| |L^T|, element by element, for every order of the sums (Higham
  /// 2002, theorem 10.3); element i, j with j <= i sums j + 1 products. The last of them is made by a division or a
  /// root, which Vulkan lets be off by 5 and 9 units, those of the root counting twice.
  func largestError(of factors: [Double], _ matrices: [Double]) -> Double {
    var error = LargestError()
    // The rows are as long as the sums at most: some 2^24 products.
    for position in sampledPositions(of: factors.count, atMost: max((1 << 24) / n, 1024)) {
      let (row, column) = (position / n, position % n)
      let inMatrix = row % n
      guard column <= inMatrix else {
        error.compare(factors[position], with: 0, allowing: 0)
        continue
      }
      let (left, right) = (row * n, (row - inMatrix + column) * n)
      var (sum, magnitude) = (CompensatedSum(), 0.0)
      for index in 0...column {
        sum.add(factors[left + index], times: factors[right + index])
        magnitude += abs(factors[left + index] * factors[right + index])
      }
      error.compare(
        sum.value, with: matrices[position],
        allowing: (roundingUnits(ofSumOf: column + 2) + 18) * roundoff * magnitude)
      // The factor with the other sign of a column has the same product.
      if column == inMatrix, !(factors[position] > 0) { return .infinity }
    }
    return error.value
  }
}
