import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

/// Host kernels that are given indices out of range, between words that nothing may touch.
@Suite struct HostileIndexTests {
  private static let guardWord: Float = 0x1.234p-60
  private static let guardCount = 64

  static let hostile: [Int32] = [-1, 5, .max, .min]

  /// Runs `kernel` on float outputs that lie before guards, and returns them.
  private func run(
    _ kernel: String, _ parameters: [Int], on inputs: [HostArray], outputCounts: [Int],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [[Float]] {
    let source = try #require(HostKernels.source(named: kernel, parameters: parameters))
    let count = outputCounts.reduce(0, +) + Self.guardCount * (outputCounts.count + 1)
    var memory = [Float](repeating: Self.guardWord, count: count)
    var inputs = inputs
    var bindings: [UnsafeMutableRawBufferPointer] = []
    for index in inputs.indices { bindings.append(inputs[index].withUnsafeMutableBytes { $0 }) }
    var outputs: [Range<Int>] = []
    var next = Self.guardCount
    for count in outputCounts {
      outputs.append(next..<(next + count))
      next += count + Self.guardCount
    }
    let error = memory.withUnsafeMutableBytes { bytes -> DeviceError? in
      for range in outputs {
        bindings.append(
          UnsafeMutableRawBufferPointer(rebasing: bytes[(4 * range.lowerBound)..<(4 * range.upperBound)]))
      }
      do throws(DeviceError) {
        try source.body(HostArguments(bindings: bindings, pushConstants: []))
        return nil
      } catch {
        return error
      }
    }
    let isInside = { (position: Int) in outputs.contains { $0.contains(position) } }
    let isUntouched = memory.indices.allSatisfy {
      memory[$0] == Self.guardWord || (error == nil && isInside($0))
    }
    #expect(isUntouched, "a write outside, or before an error", sourceLocation: sourceLocation)
    if let error { throw error }
    return outputs.map { Array(memory[$0]) }
  }

  @Test("Every kernel that takes indices names the first bad one and writes nothing", arguments: hostile)
  func outOfRange(index: Int32) throws {
    let indices = HostArray([0, 4, index, 9, 1] as [Int32])
    let values = HostArray((0..<15).map(Float.init), shape: [5, 3])
    func error(_ operation: String, _ bound: Int) -> DeviceError {
      .indexOutOfRange(operation: operation, index: Int(index), bound: bound)
    }
    #expect(throws: error("gather", 5)) {
      try run("gather_rows", [5, 3, 5, 4], on: [values, indices], outputCounts: [15])
    }
    #expect(throws: error("scatter-sum", 5)) {
      try run("scatter_sum", [5, 3, 5], on: [values, indices], outputCounts: [15])
    }
    #expect(throws: error("segment-order", 5)) {
      try run("segment_order", [5, 5], on: [indices], outputCounts: [5, 6])
    }
    let (order, offsets) = (HostArray([0, 1, 2, 3, 4] as [Int32]), HostArray([0, 2, 5] as [Int32]))
    for fold in [0, 2, 3] {
      let parameters = [0, fold, 5, 3, 2, 0]
      #expect(throws: error("segment-reduction", 5)) {
        try run("segment_fold", parameters, on: [values, indices, offsets], outputCounts: [6])
      }
      // Of five terms, 5 is where the last segment ends.
      guard index != 5 else { continue }
      let bad = HostArray([0, index, 5] as [Int32])
      #expect(throws: error("segment-reduction", 6)) {
        try run("segment_fold", parameters, on: [values, order, bad], outputCounts: [6])
      }
    }
  }

  @Test("Nothing can be named among no rows, and offsets that fall are refused")
  func degenerate() throws {
    #expect(throws: DeviceError.indexOutOfRange(operation: "gather", index: 0, bound: 0)) {
      try run(
        "gather_rows", [0, 3, 1, 4], on: [HostArray(zeros: [1, 3]), HostArray([Int32(0)])], outputCounts: [3])
    }
    let falling = DeviceError.invalidArgument(
      call: "segment-reduction", reason: "an offset of 1 comes after one of 3.")
    #expect(throws: falling) {
      try run(
        "segment_fold", [0, 0, 4, 1, 3, 0],
        on: [
          HostArray(zeros: [4, 1]), HostArray([0, 1, 2, 3] as [Int32]), HostArray([0, 3, 1, 4] as [Int32]),
        ], outputCounts: [3])
    }
  }

  @Test("What is sought among elements in no order is found inside")
  func search() throws {
    let sorted = HostArray([3, .nan, -1, .infinity, 0, -.infinity] as [Float], shape: [2, 3])
    let sought = HostArray([.nan, -.infinity, 2, .infinity] as [Float], shape: [2, 2])
    for afterEquals in [0, 1] {
      let places = try run(
        "search_sorted", [0, 2, 3, 2, afterEquals], on: [sorted, sought], outputCounts: [4])
      #expect(places[0].allSatisfy { (0...3).contains($0.bitPattern) })
    }
  }

  @Test("Lengths of keys are held between none and all")
  func lengths() throws {
    var generator = Generator(seed: 5)
    let numbers = (0..<3).map { _ in
      HostArray((0..<80).map { _ in Float.random(in: -1...1, using: &generator) })
    }
    func attention(_ lengths: [Int32]) throws -> [[Float]] {
      try run(
        "attention", [4, 1, 1, 5, 5, 4, 4, 32, Int(Float(0.5).bitPattern)],
        on: numbers + [numbers[0], HostArray(lengths)], outputCounts: [80, 20])
    }
    #expect(try attention([-1, 6, .min, .max]) == attention([0, 5, 0, 5]))
  }
}
