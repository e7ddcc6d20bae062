import HeklaArrays
import HeklaDevices
import HeklaNN
import HeklaTensors
import Testing

@Suite struct SparseMatrixTests {
  static let rows: [Int32] = [2, 0, 2, 3, 0, 2]
  static let columns: [Int32] = [1, 2, 0, 2, 2, 1]
  static let elements = numbers(6, seed: 1)

  /// The matrix as it is written, 4 x 3; two places are named twice.
  static let dense: [Double] = {
    var dense = [Double](repeating: 0, count: 12)
    for index in 0..<6 { dense[Int(rows[index]) * 3 + Int(columns[index])] += elements[index] }
    return dense
  }()

  static func make() throws -> SparseMatrix {
    try SparseMatrix(rows: 4, columns: 3, rowIndices: rows, columnIndices: columns)
  }

  @Test func `Products are those of the dense matrix`() throws {
    let matrix = try Self.make()
    let dense = constant(Self.dense, [4, 3])
    let elements = constant(Self.elements, [6])
    let (x, y) = (constant(numbers(6, seed: 2), [3, 2]), constant(numbers(8, seed: 3), [4, 2]))
    let product = matrix.product(elements: elements, x)
    #expect(product.shape == [4, 2])
    #expect(agree(values(product), values(dense.matrixProduct(x)), within: 1e-14))
    let transposed = matrix.transposedProduct(elements: elements, y)
    #expect(transposed.shape == [3, 2])
    #expect(agree(values(transposed), values(dense.transposed().matrixProduct(y)), within: 1e-14))
    let all = values(y.matrixProduct(x.transposed()))
    let sampled = zip(Self.rows, Self.columns).map { all[Int($0) * 3 + Int($1)] }
    #expect(agree(values(matrix.sampledProduct(y, x)), sampled, within: 1e-14))
    let ones = values(matrix.product(constant([1, 1, 1], [3, 1])))
    #expect(ones == [2, 0, 3, 1])
  }

  @Test func `Compressed rows are the same matrix`() throws {
    let matrix = try SparseMatrix(columns: 3, rowOffsets: [0, 2, 2, 3], columnIndices: [2, 0, 1])
    let found = matrix.product(elements: constant([1, 2, 4], [3]), constant([1, 10, 100], [3, 1]))
    #expect(values(found) == [102, 0, 40])
    #expect(throws: DeviceError.self) {
      try SparseMatrix(columns: 3, rowOffsets: [0, 2], columnIndices: [0])
    }
    #expect(throws: DeviceError.indexOutOfRange(operation: "segments", index: 3, bound: 3)) {
      try SparseMatrix(columns: 3, rowOffsets: [0, 1], columnIndices: [3])
    }
    #expect(throws: DeviceError.self) {
      try SparseMatrix(rows: 2, columns: 2, rowIndices: [0], columnIndices: [])
    }
  }

  @Test func `Normalization divides by the roots of both sums`() throws {
    let elements = Self.elements.map { abs($0) }
    var (rowSums, columnSums) = ([Double](repeating: 0, count: 4), [Double](repeating: 0, count: 3))
    for index in 0..<6 {
      rowSums[Int(Self.rows[index])] += elements[index]
      columnSums[Int(Self.columns[index])] += elements[index]
    }
    let wanted = (0..<6).map {
      elements[$0] / (rowSums[Int(Self.rows[$0])] * columnSums[Int(Self.columns[$0])]).squareRoot()
    }
    let found = try Self.make().symmetricallyNormalized(elements: constant(elements, [6]))
    #expect(agree(values(found), wanted, within: 1e-14))
    #expect(
      try values(Self.make().symmetricallyNormalized(elements: constant([0, 0, 0, 0, 0, 0], [6])))
        == [0, 0, 0, 0, 0, 0])
  }

  @Test func `Gradients flow to the elements and to the dense factor`() throws {
    let matrix = try Self.make()
    let x = constant(numbers(6, seed: 2), [3, 2])
    let elements = constant(Self.elements, [6])
    let byElements = gradientError(Self.elements, [6]) {
      matrix.product(elements: $0, x).squared().sum()
    }
    #expect(byElements < 1e-8)
    let byFactor = gradientError(numbers(6, seed: 2), [3, 2]) {
      matrix.sampledProduct(matrix.product(elements: elements, $0), $0).squared().sum()
    }
    #expect(byFactor < 1e-8)
    let bySums = gradientError(Self.elements.map { abs($0) + 0.1 }, [6]) {
      matrix.symmetricallyNormalized(elements: $0).squared().sum()
    }
    #expect(bySums < 1e-8)
  }
}
