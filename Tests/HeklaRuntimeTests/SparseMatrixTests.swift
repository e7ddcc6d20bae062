import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct SparseMatrixTests {
  /// 0 2 0 / 0 0 0 / 1 0 4, its last element stored as 3 and 1.
  private static func matrix() throws -> SparseMatrix {
    try SparseMatrix(
      rowCount: 3, columnCount: 3, rows: [2, 0, 2, 2], columns: [2, 1, 0, 2], values: [3, 2, 1, 1])
  }

  @Test(arguments: TestDevice.present)
  func `products with a matrix and its transpose are those of the dense one`(device: TestDevice) throws {
    try device.run { executor in
      let matrix = try Self.matrix()
      let x = Tensor([1, 10, 2, 20, 3, 30] as [Float], shape: [3, 2])
      let empty = try SparseMatrix(rowCount: 2, columnCount: 3, rows: [], columns: [], values: [])
      let got = try executor.values(of: [matrix.product(x), matrix.transposed.product(x), empty.product(x)])
      #expect(got[0].doubles() == [4, 40, 0, 0, 13, 130])
      #expect(got[1].doubles() == [3, 30, 2, 20, 12, 120])
      #expect(got[2].doubles() == [0, 0, 0, 0])
    }
  }

  @Test func `a product makes no array with a row per element, nor sorts, and its gradient neither`() throws {
    let executor = try TestDevice.cpu.executor()
    let x = Parameter(Tensor.ones([3, 2])).tensor
    let loss = try Self.matrix().product(x).squared().sum()
    let step = try executor.compile(StepDescription(outputs: gradients(of: loss, withRespectTo: [x])))
    #expect(step.plan.steps.count { $0.label == "sparse-product" } == 2)
    #expect(
      !step.plan.steps.contains { ["gather", "segment-reduction", "segment-order"].contains($0.label) })
  }

  @Test func `a chain of products needs memory for two, however long it is`() throws {
    let executor = try TestDevice.cpu.executor()
    let matrix = try Self.matrix()
    func byteCount(_ length: Int) throws -> Int {
      let x = Tensor.input(0, Signature([3, 1_000]))
      let y = (0..<length).reduce(x) { x, _ in matrix.product(x) }
      return try executor.compile(StepDescription(outputs: [y.sum()]), inputs: [Signature([3, 1_000])])
        .plan.arenaByteCounts.reduce(0, +)
    }
    #expect(try byteCount(50) == byteCount(3))
    #expect(try byteCount(50) < 3 * 4 * 3_000)
  }

  @Test func `rows and columns that do not exist are named`() {
    #expect(throws: DeviceError.indexOutOfRange(operation: "segments", index: 3, bound: 3)) {
      try SparseMatrix(rowCount: 3, columnCount: 3, rows: [3], columns: [0], values: [1])
    }
    #expect(throws: DeviceError.indexOutOfRange(operation: "segments", index: -1, bound: 3)) {
      try SparseMatrix(rowCount: 3, columnCount: 3, rows: [0], columns: [-1], values: [1])
    }
    #expect(throws: DeviceError.self) {
      try SparseMatrix(rowCount: 3, columnCount: 3, rows: [0], columns: [0], values: [1, 2])
    }
  }
}
