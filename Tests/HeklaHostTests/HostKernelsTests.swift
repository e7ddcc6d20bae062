import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

@Suite struct HostKernelsTests {
  func source(_ name: String, _ parameters: [Int]) throws -> HostSource {
    try #require(HostKernels.source(named: name, parameters: parameters))
  }

  @Test("Names that do not exist and parameters that do not fit give nothing")
  func table() {
    #expect(HostKernels.source(named: "none", parameters: []) == nil)
    #expect(HostKernels.source(named: "gather_rows", parameters: [1]) == nil)
    #expect(HostKernels.source(named: "scatter_sum", parameters: [1, -2, 3]) == nil)
    #expect(HostKernels.names.contains("gather_rows") && HostKernels.names.contains("scatter_sum"))
  }

  @Test("Gathered rows are those that the indices name", arguments: [(5, 3, 4), (40, 700, 300), (1, 1, 9)])
  func gather(rows: Int, columns: Int, count: Int) throws {
    let values = HostArray((0..<rows * columns).map(Float.init), shape: [rows, columns])
    let chosen = (0..<count).map { ($0 * 7) % rows }
    let blank = HostArray(zeros: [count, columns])
    let output = try run(
      try source("gather_rows", [rows, columns, count, 4]),
      on: [values, HostArray(chosen.map(Int32.init)), blank])[2]
    #expect(output == values.gatheringRows(chosen))
  }

  @Test("Rows of bytes and of eight-byte elements are gathered too")
  func gatherTypes() throws {
    let bytes = HostArray((0..<12).map { UInt8($0) }, shape: [4, 3])
    let indices = HostArray([Int32(3), 0])
    #expect(
      try run(
        try source("gather_rows", [4, 3, 2, 1]), on: [bytes, indices, HostArray(zeros: [2, 3], of: .uint8)])[
          2]
        == bytes.gatheringRows([3, 0]))
    let wide = bytes.converted(to: .int64)
    #expect(
      try run(
        try source("gather_rows", [4, 3, 2, 8]), on: [wide, indices, HostArray(zeros: [2, 3], of: .int64)])[2]
        == wide.gatheringRows([3, 0]))
  }

  @Test(
    "Scattered rows are summed in their order, twice to the same bits, and rows without any are zero",
    arguments: [(10, 3, 4), (5_000, 17, 30), (3_000, 40, 1), (7_000, 1, 2_000), (0, 4, 3), (2_500, 16, 2)])
  func scatter(count: Int, columns: Int, rows: Int) throws {
    var generator = Generator(seed: 3)
    let values = (0..<count * columns).map { _ in Float.random(in: -1...1, using: &generator) }
    // The last row stays empty where there are several; the first takes half of all.
    let indices = (0..<count).map { _ in
      Bool.random(using: &generator)
        ? Int32(0) : Int32.random(in: 0...Int32(max(rows - 2, 0)), using: &generator)
    }
    let bindings = [
      HostArray(values, shape: [count, columns]), HostArray(indices),
      HostArray([Float](repeating: .nan, count: rows * columns), shape: [rows, columns]),
    ]
    let kernel = try source("scatter_sum", [count, columns, rows])
    let output = try run(kernel, on: bindings)[2]
    #expect(try run(kernel, on: bindings)[2] == output)
    var expected = [Double](repeating: 0, count: rows * columns)
    for (position, row) in indices.enumerated() {
      for column in 0..<columns {
        expected[Int(row) * columns + column] += Double(values[position * columns + column])
      }
    }
    // A sum of n numbers below 1 in float, in parts of 1024: below n * 1024 / 2 roundings of 2^-24 at worst,
    // about sqrt(n) 2^-24 sqrt(n) in practice; 1e-3 is a tenth of the smallest number that could go missing.
    for (actual, wanted) in zip(output.doubles(), expected) { #expect(abs(actual - wanted) < 1e-3) }
  }

  @Test(
    "A sparse product adds every term once, at any width and however many terms a row has",
    arguments: [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 32, 33, 64, 70])
  func sparseProduct(width: Int) throws {
    // Row 1 has 3,000 elements, which are summed in parts; row 2 has none, the others a few each. Whole numbers that
    // float32 holds, so that no order of the sums rounds.
    let few: [Int] = (0..<90).map { $0 % 3 == 2 ? 3 : 0 }
    let rows = [Int](repeating: 1, count: 3_000) + few
    let columns = rows.indices.map { ($0 * 31) % 50 }
    let values = rows.indices.map { Float($0 % 7 - 3) }
    let x = (0..<50 * width).map { Float($0 % 11 - 5) }
    let order = rows.indices.sorted { (rows[$0], $0) < (rows[$1], $1) }
    let offsets = (0...4).map { row in Int32(rows.count { $0 < row }) }
    var expected = [Float](repeating: 0, count: 4 * width)
    for (element, row) in rows.enumerated() {
      for place in 0..<width {
        expected[row * width + place] += values[element] * x[columns[element] * width + place]
      }
    }
    let output = try run(
      try source("sparse_product", [0, rows.count, 4, 50, width]),
      on: [
        HostArray(x, shape: [50, width]), HostArray(values), HostArray(columns.map(Int32.init)),
        HostArray(order.map(Int32.init)), HostArray(offsets),
        HostArray([Float](repeating: .nan, count: 4 * width)),
      ])[5]
    #expect(output.elements(as: Float.self) == expected)
  }

  @Test("A sparse product of float64 numbers is float64, and names what is out of range")
  func sparseProductChecks() throws {
    func product(columns: [Int32] = [2, 0], order: [Int32] = [0, 1], offsets: [Int32] = [0, 1, 2]) throws
      -> [Double]
    {
      try run(
        try source("sparse_product", [1, 2, 2, 3, 1]),
        on: [
          HostArray([1, 2, 1 / 3] as [Double]), HostArray([3, 5] as [Double]), HostArray(columns),
          HostArray(order),
          HostArray(offsets), HostArray([Double](repeating: .nan, count: 2)),
        ])[5].doubles()
    }
    #expect(try product() == [3 * (1.0 / 3), 5])
    func error(_ index: Int, _ bound: Int) -> DeviceError {
      .indexOutOfRange(operation: "sparse-product", index: index, bound: bound)
    }
    #expect(throws: error(3, 3)) { try product(columns: [3, 0]) }
    #expect(throws: error(-1, 2)) { try product(order: [0, -1]) }
    #expect(throws: error(3, 3)) { try product(offsets: [0, 3, 3]) }
  }
}
