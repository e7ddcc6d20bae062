import HeklaArrays
import HeklaDevices
import Testing

@Suite("Gathering rows", .serialized)
struct GatherTests {
  private static let rows = 41
  /// Indices with repeats, the first and last rows, and such as lie outside on either side.
  private static let indices: [Int32] = {
    let key = RandomKey(seed: 3)
    let inside = (0..<193).map { Int32(key.word(at: $0) % UInt32(rows)) }
    return [0, Int32(rows - 1), Int32(rows), -1] + inside + [.min, .max, 5]
  }()

  @Test(
    "Rows of words come unchanged, and zeros for indices outside",
    arguments: ShaderDevice.allCases, [("uint", 1, 1), ("uint", 1, 7), ("uvec2", 2, 3), ("uvec4", 4, 2)])
  func words(_ interface: ShaderDevice, _ element: (type: String, wordCount: Int, width: Int)) throws {
    let bench = try Workbench(interface)
    let rowWords = element.wordCount * element.width
    let key = RandomKey(seed: 5)
    let values = (0..<Self.rows * rowWords).map { key.word(at: $0) }
    let output = try bench.output(wordCount: Self.indices.count * rowWords)
    let dispatch = Dispatch(
      try bench.kernel("gather_rows", [0: 32], defines: ["WORDS": element.type]),
      bindings: [try bench.input(values).slice, try bench.input(Self.indices).slice, output.slice],
      groupCount: GroupCount(folding: ceilingDivide(Self.indices.count * element.width, 32), limit: 5),
      pushConstants: [Self.indices.count, element.width, Self.rows].map(UInt32.init), label: "gather_rows")
    try bench.runThrice([dispatch], outputs: [output])
    #expect(try output.words() == Self.gathered(values, width: rowWords))
  }

  @Test(
    "Rows of bytes come unchanged, and zeros to the end of the last word",
    arguments: ShaderDevice.allCases, [1, 2, 3, 6])
  func bytes(_ interface: ShaderDevice, _ width: Int) throws {
    let bench = try Workbench(interface)
    let key = RandomKey(seed: 6)
    let values = (0..<Self.rows * width).map { UInt8(truncatingIfNeeded: key.word(at: $0)) }
    var expected = Self.gathered(values, width: width)
    let wordCount = ceilingDivide(expected.count, 4)
    expected += [UInt8](repeating: 0, count: 4 * wordCount - expected.count)
    let output = try bench.output(wordCount: wordCount)
    let dispatch = Dispatch(
      try bench.kernel("gather_bytes", [0: 32]),
      bindings: [try bench.input(values).slice, try bench.input(Self.indices).slice, output.slice],
      groupCount: GroupCount(folding: ceilingDivide(wordCount, 32), limit: 3),
      pushConstants: [Self.indices.count, width, Self.rows].map(UInt32.init), label: "gather_bytes")
    try bench.runThrice([dispatch], outputs: [output])
    #expect(try output.words().withUnsafeBytes { [UInt8]($0) } == expected)
  }

  private static func gathered<Element: FixedWidthInteger>(_ values: [Element], width: Int) -> [Element] {
    indices.flatMap { index in
      (0..<width).map { (0..<Int32(rows)).contains(index) ? values[Int(index) * width + $0] : 0 }
    }
  }
}
