import HeklaArrays
import HeklaDevices
import Testing

/// Kernels that are given indices, orders, offsets or lengths that no plan would give them: whatever these hold,
/// nothing outside the arrays is read, which would bring a guard's NaN into results, or written.
@Suite("Hostile indices", .serialized)
struct HostileIndexTests {
  private static let hostile: [Int32] = [-1, .min, .max, 1 << 30, -(1 << 30)]

  // MARK: Checks

  @Test(
    "The first bad index of the first check that has one is recorded, and stays",
    arguments: ShaderDevice.allCases)
  func check(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let good = (0..<1000).map { Int32($0 % 41) }
    var bad = good
    for (position, index) in [(999, Int32(41)), (317, -7), (600, .max)] { bad[position] = index }
    let clean = [UInt32](repeating: .max, count: 4)
    for (arrays, expected) in [
      ([good, good], clean), ([bad, good], [317, 0, UInt32(bitPattern: -7), 41]),
      ([good, bad], [317, 1, UInt32(bitPattern: -7), 41]),
      // The second check finds a lower position, and is not heard.
      ([bad, [41] + good], [317, 0, UInt32(bitPattern: -7), 41]),
    ] as [([[Int32]], [UInt32])] {
      for _ in 0..<3 {
        let status = try bench.input(clean)
        var dispatches: [Dispatch] = []
        for (operation, indices) in arrays.enumerated() {
          let input = try bench.input(indices)
          for records in [0, 1] {
            dispatches.append(
              Dispatch(
                try bench.kernel("check_indices", [0: 32, 1: records]),
                bindings: [input.slice, status.slice],
                groupCount: GroupCount(
                  folding: records == 1 ? 1 : ceilingDivide(indices.count, 32), limit: 5),
                pushConstants: [UInt32(indices.count), 41, UInt32(operation)], label: "check_indices"))
          }
        }
        try bench.run(dispatches)
        #expect(try status.words() == expected)
      }
    }
  }

  // MARK: Segments

  /// Order and offsets that point anywhere, and what is left of the segments when that is left out.
  private struct Segments {
    static let rows = 6
    static let count = 40
    let order: [Int32]
    let offsets: [Int32]
    /// The terms of each row that remain.
    let terms: [[Int]]

    init() {
      var order = (0..<Int32(Self.count)).map { $0 * 7 % Int32(Self.count) }
      for (position, index) in HostileIndexTests.hostile.enumerated() { order[position * 4] = index }
      // Past the end, falling, negative (large) in the middle.
      let offsets: [Int32] = [0, 9, .max, 5, 21, -1, 40]
      self.order = order
      self.offsets = offsets
      terms = (0..<Self.rows).map { row in
        let (first, last) = (
          UInt32(bitPattern: offsets[row]), min(UInt32(bitPattern: offsets[row + 1]), UInt32(Self.count))
        )
        guard first < last else { return [] }
        return (first..<last).map { Int(order[Int($0)]) }.filter { (0..<Self.count).contains($0) }
      }
    }
  }

  @Test(
    "Sums and extrema over hostile segments take what lies inside", arguments: ShaderDevice.allCases, [4, 3])
  func segments(_ interface: ShaderDevice, _ width: Int) throws {
    let bench = try Workbench(interface)
    let segments = Segments()
    // Whole numbers, so that sums are exact in any order.
    let numbers = (0..<Segments.count * width).map { Float($0 * 37 % 101) - 50 }
    let bindings = [
      try bench.input(numbers).slice, try bench.input(segments.order).slice,
      try bench.input(segments.offsets).slice,
    ]
    func run(
      _ name: String, _ constants: [UInt32: Int], groups: Int, vectors: Bool = false, _ label: String,
      expecting fold: ([Float]) -> Float
    ) throws {
      let output = try bench.output(wordCount: Segments.rows * width)
      let kernel = try bench.kernel(name, constants, defines: vectors ? ["VECTORS": "1"] : [:])
      let dispatch = Dispatch(
        kernel, bindings: bindings + [output.slice], groupCount: GroupCount(folding: groups, limit: 3),
        pushConstants: [Segments.rows, vectors ? width / 4 : width, Segments.count, 0, Segments.count].map(
          UInt32.init),
        label: name)
      try bench.runThrice([dispatch], outputs: [output])
      let expected = segments.terms.flatMap { terms in
        (0..<width).map { column in fold(terms.map { numbers[$0 * width + column] }) }
      }
      #expect(try output.floats() == expected, "\(label)")
    }
    let groups = ceilingDivide(Segments.rows * width, 8)
    try run("segment_sum", [0: 8], groups: groups, "sum") { $0.reduce(0, +) }
    try run("segment_sum_long", [0: 16, 2: 4], groups: Segments.rows * ceilingDivide(width, 4), "long") {
      $0.reduce(0, +)
    }
    if width == 4 {
      try run("segment_sum", [0: 8], groups: groups, vectors: true, "vectors") { $0.reduce(0, +) }
    }
    let fill = Int(Float(-1).bitPattern)
    try run("segment_extremum", [0: 8, 1: fill, 10: 2], groups: groups, "maximum") { $0.max() ?? -1 }
  }

  @Test("Offsets of any keys lie inside", arguments: ShaderDevice.allCases)
  func offsets(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let keys = try bench.input(Self.hostile + [3, 0, 3, 1])
    let output = try bench.output(wordCount: 6)
    let dispatch = Dispatch(
      try bench.kernel("segment_offsets", [0: 4]), bindings: [keys.slice, output.slice],
      groupCount: GroupCount(folding: 2), pushConstants: [9, 5], label: "segment_offsets")
    try bench.runThrice([dispatch], outputs: [output])
    #expect(try output.words().allSatisfy { $0 <= 9 })
  }

  // MARK: Sorting

  @Test("Elements at hostile places are 0", arguments: ShaderDevice.allCases)
  func take(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let values = (0..<12).map { Float($0 + 1) }
    let order: [Int32] = [2, -1, 0, 1, 12, 4, 7, .max, 8, 11, .min, 9]
    let (sorted, positions) = (try bench.output(wordCount: 9), try bench.output(wordCount: 9))
    let dispatch = Dispatch(
      try bench.kernel("sort_take", [0: 4]),
      bindings: [try bench.input(values).slice, try bench.input(order).slice, sorted.slice, positions.slice],
      groupCount: GroupCount(folding: 3), pushConstants: [3, 4, 3], label: "sort_take")
    try bench.runThrice([dispatch], outputs: [sorted, positions])
    #expect(try sorted.floats() == [3, 0, 1, 0, 5, 8, 9, 12, 0])
  }

  @Test(
    "What is sought among elements in no order is found inside", arguments: ShaderDevice.allCases, [0, 1])
  func search(_ interface: ShaderDevice, _ kind: Int) throws {
    let bench = try Workbench(interface)
    let key = RandomKey(seed: 9)
    let sorted = (0..<3 * 33).map { key.word(at: $0) }
    let sought = Self.hostile.map(UInt32.init(bitPattern:)) + [Float.nan.bitPattern, 0, 1, 2]
    let all = [[UInt32]](repeating: sought, count: 3).flatMap { $0 }
    let output = try bench.output(wordCount: all.count)
    let dispatch = Dispatch(
      try bench.kernel("search_sorted", [0: 8, 1: 1, 10: kind]),
      bindings: [try bench.input(sorted).slice, try bench.input(all).slice, output.slice],
      groupCount: GroupCount(folding: ceilingDivide(all.count, 8), limit: 3),
      pushConstants: [3, 33, UInt32(sought.count)], label: "search_sorted")
    try bench.runThrice([dispatch], outputs: [output])
    #expect(try output.words().allSatisfy { $0 <= 33 })
  }

  // MARK: Attention

  /// One head of five queries and five keys of width 4 in each of four batches.
  @Test("Lengths of keys are held between none and all", arguments: ShaderDevice.allCases)
  func lengths(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let key = RandomKey(seed: 10)
    func numbers(_ count: Int, _ name: String) throws -> GuardedBuffer {
      let key = key.folded(in: name)
      return try bench.input((0..<count).map { 2 * key.uniform(at: $0) - 1 })
    }
    let inputs = try ["q", "k", "v"].map { try numbers(4 * 5 * 4, $0) }
    let (delta, upstream) = (try numbers(4 * 5, "delta"), try numbers(4 * 5 * 4, "upstream"))
    func results(_ lengths: [Int32]) throws -> [[UInt32]] {
      let shared = (inputs + [inputs[0], try bench.input(lengths)]).map(\.slice)
      let push: [UInt32] = [4, 1, 1, 5, 5, 1, 1, Float(0.5).bitPattern]
      let outputs = try [80, 20, 80, 80, 80].map { try bench.output(wordCount: $0) }
      let rest = [delta.slice, outputs[1].slice, upstream.slice]
      let dispatches = try [
        ("attention", shared, outputs[0...1]), ("attention_gradient_queries", shared + rest, outputs[2...2]),
        ("attention_gradient_keys", shared + rest, outputs[3...4]),
      ].map { name, bindings, written in
        Dispatch(
          try bench.kernel(name, [0: 32, 1: 32], defines: ["COLUMNS": "4"]),
          bindings: bindings + written.map(\.slice), groupCount: GroupCount(1), pushConstants: push,
          label: name)
      }
      try bench.runThrice(dispatches, outputs: outputs)
      return try outputs.map { try $0.words() }
    }
    let held = try results([0, 5, 0, 5])
    #expect(held.joined().allSatisfy { Float(bitPattern: $0).isFinite })
    #expect(try results([-1, 6, .min, .max]) == held)
  }
}
