import HeklaArrays
import HeklaTensors

/// Which factors of a matrix product are stored transposed.
enum Transposition: String, CaseIterable {
  case left, right, both

  var isLeft: Bool { self != .right }
  var isRight: Bool { self != .left }
}

extension CaseFamily {
  static let matmul = CaseFamily(
    "matmul",
    shape: CaseShape(
      "MxNxK", rule: "It is MxNxK, such as 2048x2048x2048: the product of an M x K and a K x N matrix.",
      counts: 3...3, usual: "2048x2048x2048", software: "512x512x512",
      arrays: { extents, batch in
        let (m, n, k) = (extents[0], extents[1], extents[2])
        return [[batch, m, k], [batch, k, n], [batch, m, n]]
      }),
    summary: "an M x K times a K x N matrix", options: [.transpose, .batch],
    members: [Member("matmul", types: [.float32, .float64]) { .matrixProduct($0) }])
}

extension BenchmarkCase {
  /// The product of `batch` matrices M x K with as many K x N.
  fileprivate static func matrixProduct(_ parameters: CaseParameters) -> BenchmarkCase {
    let (extents, elementType) = (parameters.extents, parameters.elementType)
    let (batch, transposition) = (parameters.batch, parameters.transposition)
    let product = CheckedProduct(
      batch: batch, m: extents[0], n: extents[1], k: extents[2],
      isLeftTransposed: transposition?.isLeft ?? false, isRightTransposed: transposition?.isRight ?? false,
      roundoff: elementType.arithmeticRoundoff)
    func stored(_ rows: Int, _ columns: Int, isTransposed: Bool) -> Shape {
      Shape((batch == 1 ? [] : [batch]) + (isTransposed ? [columns, rows] : [rows, columns]))
    }
    return BenchmarkCase(
      "matmul" + (transposition.map { "-\($0.rawValue)-transposed" } ?? ""),
      shape: (batch == 1 ? "" : "\(batch)x") + parameters.shape, elementType: elementType,
      inputs: [
        .numbers(stored(product.m, product.k, isTransposed: product.isLeftTransposed), elementType),
        .numbers(stored(product.k, product.n, isTransposed: product.isRightTransposed), elementType),
      ],
      operationCount: 2 * Double(batch) * Double(product.m) * Double(product.n) * Double(product.k),
      build: { factors in
        let left = product.isLeftTransposed ? factors[0].transposed() : factors[0]
        return [left.matrixProduct(product.isRightTransposed ? factors[1].transposed() : factors[1])]
      },
      largestError: { inputs, outputs in
        product.largestError(of: outputs[0].doubles(), inputs.map { $0.doubles() })
      })
  }
}

/// A matrix product whose elements can be computed one by one.
struct CheckedProduct: Sendable {
  let batch, m, n, k: Int
  let isLeftTransposed, isRightTransposed: Bool
  /// The unit roundoff of what is checked.
  let roundoff: Double

  /// The largest error among the elements that are looked at, in units of k times the roundoff times the sum of
  /// |a b|.
  ///
  /// Summed in any order, with or without fused multiplication, k products are off by at most
  /// k u / (1 - k u) times that sum, where u is the unit roundoff (Higham 2002, "Accuracy and stability of
  /// numerical algorithms", section 3.1). The denominator differs from 1 by less than the slack of the bound as
  /// long as k u is small, and at 2^20 it is still 6%. So an error above 1 is no rounding.
  func largestError(of output: [Double], _ factors: [[Double]]) -> Double {
    var error = LargestError()
    for position in positions {
      let (sum, magnitude) = element(position, factors)
      error.compare(output[position], with: sum, allowing: Double(k) * roundoff * magnitude)
    }
    return error.value
  }

  /// The elements to look at: all of a small product; else the first and last row and column of the first and last
  /// matrix, where a tile that reaches over the edge does its harm, and 512 others from all over.
  private var positions: [Int] {
    let count = batch * m * n
    if Double(count) * Double(k) <= 0x1p24 { return Array(0..<count) }
    var positions: Set<Int> = []
    for matrix in Set([0, batch - 1]) {
      for row in Set([0, m - 1]) { positions.formUnion((0..<n).map { (matrix * m + row) * n + $0 }) }
      for column in Set([0, n - 1]) { positions.formUnion((0..<m).map { (matrix * m + $0) * n + column }) }
    }
    let key = RandomKey(seed: 0).folded(in: "sample")
    positions.formUnion((0..<512).map { min(Int(Double(key.uniform(at: $0)) * Double(count)), count - 1) })
    return positions.sorted()
  }

  /// One element and the sum of the absolute values of its terms.
  private func element(_ position: Int, _ factors: [[Double]]) -> (sum: Double, magnitude: Double) {
    let (matrix, row, column) = (position / (m * n), position / n % m, position % n)
    let left = matrix * m * k + (isLeftTransposed ? row : row * k)
    let right = matrix * k * n + (isRightTransposed ? column * k : column)
    let (leftStep, rightStep) = (isLeftTransposed ? m : 1, isRightTransposed ? 1 : n)
    var (sum, magnitude) = (CompensatedSum(), 0.0)
    factors[0].withUnsafeBufferPointer { a in
      factors[1].withUnsafeBufferPointer { b in
        for index in 0..<k {
          let (x, y) = (a[left + index * leftStep], b[right + index * rightStep])
          sum.add(x, times: y)
          magnitude += abs(x * y)
        }
      }
    }
    return (sum.value, magnitude)
  }
}
