import HeklaArrays
import HeklaDevices
import Testing

@Suite("Scattered sums", .serialized)
struct ScatterTests {
  /// Rows to sum into, columns, terms.
  struct Extents: Sendable, CustomTestStringConvertible {
    var rows: Int
    var width: Int
    var count: Int

    var testDescription: String { "[\(count), \(width)] into \(rows) rows" }
  }

  static let extents = [
    Extents(rows: 1, width: 1, count: 1), Extents(rows: 15, width: 3, count: 1025),
    Extents(rows: 16, width: 8, count: 300), Extents(rows: 1000, width: 4, count: 129),
  ]

  /// Terms and their rows, some of them outside on either side.
  struct Terms {
    let values: [Float]
    let indices: [Int32]

    init(_ extents: Extents) {
      let key = RandomKey(seed: 21)
      values = (0..<extents.count * extents.width).map { 2 * key.uniform(at: $0) - 1 }
      let rows = UInt32(extents.rows)
      var indices = (0..<extents.count).map { Int32(key.folded(in: 1).word(at: $0) % rows) }
      if extents.count > 100 {
        for (position, index) in [Int32(-1), .min, .max, Int32(rows)].enumerated() {
          indices[17 * position + 5] = index
        }
      }
      self.indices = indices
    }
  }

  @Test(
    "The sorted way and the scan of all indices give the same bits, right to rounding",
    arguments: ShaderDevice.allCases, ScatterTests.extents)
  func sums(_ interface: ShaderDevice, _ extents: Extents) throws {
    let bench = try Workbench(interface)
    let terms = Terms(extents)
    let values = try bench.input(terms.values)
    let indices = try bench.input(terms.indices)
    let scanned = try scan(values, indices, extents, on: bench)
    try expectSums(scanned, of: terms, extents)

    let segments = try Segments(indices, extents, on: bench)
    for (kernel, constants, vectors) in [
      ("segment_sum", [0: 64], false), ("segment_sum", [0: 8], extents.width % 4 == 0),
    ] as [(String, [UInt32: Int], Bool)] {
      let sums = try segments.sum(values, with: kernel, constants, vectors: vectors, columns: 1, on: bench)
      #expect(sums == scanned, "\(kernel) \(constants)")
    }
    let long = try segments.sum(
      values, with: "segment_sum_long", [0: 64, 2: 16], vectors: false, columns: 4, on: bench)
    try expectSums(long, of: terms, extents)
    if extents.width % 4 == 0 {
      let vectors = try segments.sum(
        values, with: "segment_sum_long", [0: 32, 2: 16], vectors: true, columns: 2, on: bench)
      #expect(vectors == long, "the bits depend on LANES alone")
    }
  }

  @Test("Segments without an order sum consecutive rows", arguments: ShaderDevice.allCases)
  func unordered(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let values = try bench.input((0..<12).map { Float($0) })
    let offsets = try bench.input([0, 2, 2, 5, 6] as [UInt32])
    let output = try bench.output(wordCount: 8)
    for (kernel, constants) in [
      ("segment_sum", [0: 8, 1: 0]), ("segment_sum_long", [0: 16, 1: 0, 2: 4]),
    ] as [(String, [UInt32: Int])] {
      let dispatch = Dispatch(
        try bench.kernel(kernel, constants),
        bindings: [values.slice, values.slice, offsets.slice, output.slice],
        groupCount: GroupCount(folding: 4, limit: 3), pushConstants: [4, 2, 6, 0, 6], label: kernel)
      try bench.runThrice([dispatch], outputs: [output])
      #expect(try output.floats() == [2, 4, 0, 0, 18, 21, 10, 11], "\(kernel)")
    }
  }

  private func scan(
    _ values: GuardedBuffer, _ indices: GuardedBuffer, _ extents: Extents, on bench: Workbench
  ) throws -> [UInt32] {
    let output = try bench.output(wordCount: extents.rows * extents.width)
    let dispatch = Dispatch(
      try bench.kernel("scatter_sum_scan", [0: 64]), bindings: [values.slice, indices.slice, output.slice],
      groupCount: GroupCount(folding: ceilingDivide(extents.rows * extents.width, 64), limit: 3),
      pushConstants: [extents.rows, extents.width, extents.count].map(UInt32.init), label: "scatter_sum_scan")
    try bench.runThrice([dispatch], outputs: [output])
    return try output.words()
  }

  // A sum of n terms, in any order, is off by at most n units of rounding of the sum of their magnitudes.
  private func expectSums(_ words: [UInt32], of terms: Terms, _ extents: Extents) throws {
    var sums = [Double](repeating: 0, count: extents.rows * extents.width)
    var scales = sums
    var counts = [Int](repeating: 0, count: extents.rows)
    for (i, index) in terms.indices.enumerated() where (0..<Int32(extents.rows)).contains(index) {
      counts[Int(index)] += 1
      for column in 0..<extents.width {
        let value = Double(terms.values[i * extents.width + column])
        sums[Int(index) * extents.width + column] += value
        scales[Int(index) * extents.width + column] += abs(value)
      }
    }
    let wrong = sums.indices.first { i in
      let bound = 0x1p-24 * Double(counts[i / extents.width]) * scales[i]
      return !(abs(Double(Float(bitPattern: words[i])) - sums[i]) <= bound)
    }
    #expect(wrong == nil, "element \(wrong ?? 0)")
  }
}

/// Indices sorted on the device, with the offsets of each row's positions.
struct Segments {
  let extents: ScatterTests.Extents
  private let order: GuardedBuffer
  private let offsets: GuardedBuffer
  private let dispatches: [Dispatch]

  init(_ indices: GuardedBuffer, _ extents: ScatterTests.Extents, on bench: Workbench) throws {
    self.extents = extents
    // Bad indices become the key `rows`, which lies past all segments.
    let bitCount = Int.bitWidth - extents.rows.leadingZeroBitCount
    let sort = try RadixSort().dispatches(
      keys: indices, bitCount: bitCount, limit: UInt32(extents.rows), on: bench)
    order = sort.payloads
    offsets = try bench.output(wordCount: extents.rows + 1)
    dispatches =
      sort.dispatches + [
        Dispatch(
          try bench.kernel("segment_offsets", [0: 32]), bindings: [sort.keys.slice, offsets.slice],
          groupCount: GroupCount(folding: ceilingDivide(extents.rows + 1, 32), limit: 5),
          pushConstants: [UInt32(extents.count), UInt32(extents.rows)], label: "segment_offsets")
      ]
  }

  /// The bits of the sums of `values` by `kernel`, whose groups take `columns` elements of a row at once.
  func sum(
    _ values: GuardedBuffer, with kernel: String, _ constants: [UInt32: Int], vectors: Bool, columns: Int,
    on bench: Workbench
  ) throws -> [UInt32] {
    let output = try bench.output(wordCount: extents.rows * extents.width)
    let width = vectors ? extents.width / 4 : extents.width
    let groups =
      kernel == "segment_sum"
      ? ceilingDivide(extents.rows * width, constants[0] ?? 1) : extents.rows * ceilingDivide(width, columns)
    let dispatch = Dispatch(
      try bench.kernel(kernel, constants, defines: vectors ? ["VECTORS": "1"] : [:]),
      bindings: [values.slice, order.slice, offsets.slice, output.slice],
      groupCount: GroupCount(folding: groups, limit: 11),
      pushConstants: [extents.rows, width, extents.count, 0, extents.count].map(UInt32.init), label: kernel)
    try bench.runThrice(dispatches + [dispatch], outputs: [offsets, output])
    return try output.words()
  }
}
