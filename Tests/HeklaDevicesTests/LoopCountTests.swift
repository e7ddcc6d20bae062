import HeklaArrays
import HeklaDevices
import Testing

@Suite struct LoopCountTests {
  /// sum over k of x[i, k] * w[k] and the same again, then its square root; beside a comparison and a selection, which
  /// are no arithmetic.
  private let loop = Loop(
    extents: [5], reductionExtents: [7],
    reads: [
      .init(binding: 0, elementType: .float32, index: .init(offset: 0, strides: [100, 1])),
      .init(binding: 1, elementType: .float32, index: .init(offset: 0, strides: [0, 1])),
      .init(binding: 0, elementType: .float32, index: .init(offset: 0, strides: [100, 1])),
    ],
    body: [
      .read(0), .read(1), .apply(.multiply, [0, 1], .float32), .apply(.less, [0, 1], .bool),
      .apply(.select, [3, 2, 0], .float32), .coordinate(0), .apply(.add, [5, 5], .int32),
    ],
    accumulators: [.init(.sum, of: 4, type: .float32), .init(.maximum, of: 6, type: .int32)],
    epilogue: [.accumulator(0), .apply(.sqrt, [0], .float32)],
    writes: [.init(binding: 2, elementType: .float32, index: .init(offset: 0, strides: [1, 0]), value: 1)])

  @Test func `operations are those of real numbers, at each point and once for each result`() {
    #expect(loop.operationCount == 5 * 7 * 2 + 5)
  }

  @Test func `bytes are those that are read, once for each place`() {
    #expect(loop.readByteCount(of: 0) == 5 * 7 * 4)
    #expect(loop.readByteCount(of: 1) == 7 * 4)
    #expect(loop.readByteCount(of: 2) == 0)
  }
}
