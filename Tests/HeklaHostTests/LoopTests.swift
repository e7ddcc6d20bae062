import HeklaArrays
import HeklaDevices
import TestSupport
import Testing

@testable import HeklaHost

/// Loops of all shapes against the reference interpreter.
@Suite struct LoopTests {
  static let pools = [ThreadPool(threadCount: 1), ThreadPool(threadCount: 2), ThreadPool(threadCount: 3)]

  /// Runs `loop` on 1, 2 and 3 threads and twice, expects the same bits every time, and compares with the
  /// reference within `tolerance` times the reference's magnitude or `floor`.
  func check(_ loop: Loop, _ bindings: [HostArray], tolerance: Double = 1e-6, floor: Double = 1e-6) throws {
    let expected = evaluate(loop, bindings: bindings)
    let first = try run(loop, on: bindings, pool: Self.pools[0])
    for pool in Self.pools {
      #expect(try run(loop, on: bindings, pool: pool) == first, "bits depend on threads")
    }
    for (index, (actual, wanted)) in zip(first, expected).enumerated() {
      let pairs = zip(actual.doubles(), wanted.doubles())
      let wrong = pairs.enumerated().first { _, pair in
        if pair.0.isNaN || pair.1.isNaN { return pair.0.isNaN != pair.1.isNaN }
        if pair.0 == pair.1 { return false }
        return abs(pair.0 - pair.1) > max(tolerance * abs(pair.1), floor)
      }
      if let wrong { Issue.record("binding \(index), element \(wrong.offset): \(wrong.element) in \(loop)") }
    }
  }

  static func floats(_ count: Int, seed: UInt64 = 1) -> HostArray {
    var generator = Generator(seed: seed)
    return HostArray((0..<count).map { _ in Float.random(in: -1...1, using: &generator) })
  }

  static func affine(_ strides: [Int], _ offset: Int = 0) -> Loop.Affine {
    Loop.Affine(offset: offset, strides: strides)
  }

  /// output[i, j] = input at `index`, times 1.
  static func copy(_ extents: [Int], from index: Loop.Affine, guards: [Loop.Guard] = []) -> Loop {
    Loop(
      extents: extents, reads: [Loop.Read(binding: 0, elementType: .float32, index: index, guards: guards)],
      body: [.read(0)],
      writes: [
        Loop.Write(
          binding: 1, elementType: .float32, index: Loop.Affine(offset: 0, strides: Shape(extents).strides),
          value: 0)
      ])
  }

  @Test("Transposes, slices, flips and repeats read what the index says")
  func movement() throws {
    let cases: [(extents: [Int], index: Loop.Affine)] = [
      ([70, 90], Self.affine([1, 70])), ([3, 5], Self.affine([1, 3])), ([100, 100], Self.affine([1, 100])),
      ([129, 33], Self.affine([1, 129])), ([40, 50], Self.affine([100, 2], 7)),
      ([1000], Self.affine([-1], 999)),
      ([20, 30], Self.affine([-30, -1], 599)), ([60, 10], Self.affine([0, 1])),
      ([60, 10], Self.affine([1, 0])),
      ([2000, 3], Self.affine([0, 1])), ([7, 600], Self.affine([1, 0])),
      ([4, 5, 6, 7], Self.affine([7, 28, 140, 1])),
      ([4, 5, 6, 7], Self.affine([1, 4, 20, 120])), ([3, 700], Self.affine([0, 0], 5)),
      ([1, 1], Self.affine([9, 9], 2)),
      ([2, 64, 65, 3], Self.affine([64 * 65 * 3, 1, 64, 64 * 65])),
      ([50, 40, 30], Self.affine([1, 50 * 30, 50])),
    ]
    for (extents, index) in cases {
      let size = Nest.range(of: index, extents: extents).upperBound + 1
      try check(
        Self.copy(extents, from: index), [Self.floats(size), HostArray(zeros: [Shape(extents).count])],
        tolerance: 0, floor: 0)
    }
  }

  /// Three parts of rows, each of which goes to another place of longer rows, from rows that are longer still.
  private static func parts(_ rows: Int, _ width: Int) -> Loop {
    func place(_ part: Int, of count: Int) -> Loop.Affine { affine([count * width, 1], part * width) }
    return Loop(
      extents: [rows, width],
      reads: (0..<4).map { Loop.Read(binding: 0, elementType: .float32, index: place($0, of: 4)) }
        + [
          Loop.Read(binding: 1, elementType: .float32, index: affine([0, 1])),
          Loop.Read(binding: 2, elementType: .float32, index: affine([1, 0])),
        ],
      body: (0..<6).map { .read($0) } + [
        .apply(.add, [0, 4], .float32), .apply(.multiply, [1, 5], .float32),
        .apply(.subtract, [2, 3], .float32),
      ],
      writes: [2, 0, 1].map {
        Loop.Write(binding: 3, elementType: .float32, index: place($0, of: 3), value: 6 + $0)
      })
  }

  @Test("Rows of any length are read and written in parts, the same at every level")
  func partsOfRows() throws {
    for width in [1, 3, 10, 64, 95, 96, 97, 128, 130, 1025] {
      for rows in [1, 2, 33] {
        let loop = Self.parts(rows, width)
        let bindings = [
          Self.floats(4 * rows * width), Self.floats(width, seed: 2), Self.floats(rows, seed: 3),
          HostArray([Float](repeating: .nan, count: 3 * rows * width)),
        ]
        try check(loop, bindings)
        let best = try run(loop, on: bindings)
        for library in OperationTests.levels {
          #expect(try run(loop, on: bindings, library: library) == best)
        }
      }
    }
  }

  @Test("Guards give zero and touch no memory")
  func guards() throws {
    // Padding by 2 and 1 around [30, 40], whose memory ends right there.
    let inner = Self.affine([40, 1], -2 * 40 - 1)
    let padded = Self.copy(
      [34, 42], from: inner,
      guards: [
        Loop.Guard(Self.affine([1, 0], -2), lower: 0, upper: 30),
        Loop.Guard(Self.affine([0, 1], -1), lower: 0, upper: 40),
      ])
    try check(padded, [Self.floats(1200), HostArray(zeros: [34 * 42])], tolerance: 0, floor: 0)
    // A guard across both axes, one that runs backwards, one with a stride, and one that never holds.
    let conditions = [
      Loop.Guard(Self.affine([1, 1]), lower: 5, upper: 20),
      Loop.Guard(Self.affine([0, -1], 13), lower: 2, upper: 9),
      Loop.Guard(Self.affine([0, 3], -4), lower: 0, upper: 11),
      Loop.Guard(Self.affine([0, 0]), lower: 1, upper: 5),
      Loop.Guard(Self.affine([0, -3], 20), lower: -1, upper: 12),
    ]
    for condition in conditions {
      let loop = Self.copy([20, 15], from: Self.affine([15, 1]), guards: [condition])
      try check(loop, [Self.floats(300), HostArray(zeros: [300])], tolerance: 0, floor: 0)
    }
    // A guarded element that is the same over the block, and a tall transposed one.
    let uniform = Self.copy(
      [3, 900], from: Self.affine([1, 0]), guards: [Loop.Guard(Self.affine([1, 0]), lower: 1, upper: 3)])
    try check(uniform, [Self.floats(3), HostArray(zeros: [2700])], tolerance: 0, floor: 0)
    let turned = Self.copy(
      [80, 90], from: Self.affine([1, 80]), guards: [Loop.Guard(Self.affine([2, 1]), lower: 17, upper: 170)])
    try check(turned, [Self.floats(7200), HostArray(zeros: [7200])], tolerance: 0, floor: 0)
  }

  @Test("A row of ten elements with a bias shares a block with its neighbours")
  func bias() throws {
    let loop = Loop(
      extents: [60, 10],
      reads: [
        Loop.Read(binding: 0, elementType: .float32, index: Self.affine([10, 1])),
        Loop.Read(binding: 1, elementType: .float32, index: Self.affine([0, 1])),
      ],
      body: [
        .read(0), .read(1), .apply(.add, [0, 1], .float32), .constant(0, .float32),
        .apply(.maximum, [2, 3], .float32),
      ],
      writes: [Loop.Write(binding: 2, elementType: .float32, index: Self.affine([10, 1]), value: 4)])
    try check(loop, [Self.floats(600), Self.floats(10, seed: 2), HostArray(zeros: [600])])
  }

  @Test("Several results, one of them in place of an operand, see the old values")
  func inPlace() throws {
    // Momentum: v' = 0.9 v + g, p' = p - 0.1 v', and the old p kept aside.
    let one = Self.affine([1])
    let loop = Loop(
      extents: [5000],
      reads: (0..<3).map { Loop.Read(binding: $0, elementType: .float32, index: one) },
      body: [
        .read(0), .read(1), .read(2), .constant(0.9, .float32), .constant(0.1, .float32),
        .apply(.multiply, [1, 3], .float32), .apply(.add, [5, 2], .float32),
        .apply(.multiply, [6, 4], .float32),
        .apply(.subtract, [0, 7], .float32),
      ],
      writes: [
        Loop.Write(binding: 1, elementType: .float32, index: one, value: 6),
        Loop.Write(binding: 0, elementType: .float32, index: one, value: 8),
        Loop.Write(binding: 3, elementType: .float32, index: one, value: 0),
      ])
    try check(
      loop,
      [Self.floats(5000), Self.floats(5000, seed: 2), Self.floats(5000, seed: 3), HostArray(zeros: [5000])])
    // Two buffers exchanged.
    let swap = Loop(
      extents: [5000], reads: (0..<2).map { Loop.Read(binding: $0, elementType: .float32, index: one) },
      body: [.read(0), .read(1)],
      writes: (0..<2).map { Loop.Write(binding: $0, elementType: .float32, index: one, value: 1 - $0) })
    try check(swap, [Self.floats(5000), Self.floats(5000, seed: 2)], tolerance: 0, floor: 0)
  }

  @Test(
    "Every fold agrees with the reference over rows, columns and everything", arguments: Loop.Fold.allCases)
  func folds(_ fold: Loop.Fold) throws {
    let shapes: [(parallel: [Int], reduction: [Int])] = [
      ([], [7]), ([5], [3000]), ([700], [10]), ([3, 4], [5, 6]), ([2], [0]), ([], []), ([40], [1]),
      ([3], [33]), ([], [9000]), ([600], [20]), ([3, 600], [12]), ([20], [300]),
    ]
    for (parallel, reduction) in shapes {
      let extents = parallel + reduction
      let rank = extents.count
      let count = Shape(parallel).count
      // Once along memory, once across.
      let rows = Shape(extents).strides
      let acrossShape = Shape(reduction + parallel).strides
      let columns = Array(acrossShape[reduction.count...]) + Array(acrossShape[..<reduction.count])
      for strides in [rows, columns] {
        // The interpreter takes its time: large loops run on one type.
        let isLarge = Shape(extents).count > 4_000
        for type in isLarge ? [ElementType.float32] : [.float32, .float64, .int32, .int64, .uint32] {
          let isArgument = fold == .argumentMaximum || fold == .argumentMinimum
          let result = isArgument ? ElementType.int32 : type
          let loop = Loop(
            extents: parallel, reductionExtents: reduction,
            reads: [Loop.Read(binding: 0, elementType: type, index: Self.affine(strides))], body: [.read(0)],
            accumulators: [Loop.Accumulator(fold, of: 0, type: type)], epilogue: [.accumulator(0)],
            writes: [
              Loop.Write(
                binding: 1, elementType: result,
                index: Self.affine(
                  Shape(parallel).strides + [Int](repeating: 0, count: rank - parallel.count)), value: 0)
            ])
          // Products of floats stay near 1.
          var generator = Generator(seed: 5)
          let total = max(Shape(extents).count, 1)
          let input: HostArray =
            type.isFloating
            ? HostArray(
              converting: (0..<total).map { _ in
                fold == .product
                  ? Double.random(in: 0.999...1.001, using: &generator)
                  : Double.random(in: -1...1, using: &generator)
              }, shape: [total], to: type)
            : HostArray(
              converting: (0..<total).map { _ in Double(Int.random(in: 0...9, using: &generator)) },
              shape: [total], to: type)
          // Float sums accumulate in double: only the last rounding shows. Double sums round at 2^-53 of the sum
          // of magnitudes, below 1e5 * 1e-16 here.
          try check(
            loop, [input, HostArray(zeros: [max(count, 1)], of: result)], tolerance: 1e-7, floor: 1e-10)
        }
      }
    }
  }

  @Test("Long reductions are cut into parts that are combined in order", arguments: Loop.Fold.allCases)
  func longFolds(_ fold: Loop.Fold) throws {
    let isArgument = fold == .argumentMaximum || fold == .argumentMinimum
    for (parallel, reduction, strides) in [
      ([], [70_000], [1]), ([2], [35_000], [35_000, 1]), ([8], [8_750], [1, 8]),
      ([600], [116], [1, 600]), ([5_000], [14], [1, 5_000]),
    ] {
      let loop = Loop(
        extents: parallel, reductionExtents: reduction,
        reads: [Loop.Read(binding: 0, elementType: .float32, index: Self.affine(strides))],
        // Enough work per element that the parts are worth it.
        body: [.read(0), .constant(1, .float32), .apply(.power, [0, 1], .float32)],
        accumulators: [Loop.Accumulator(fold, of: 2, type: .float32)], epilogue: [.accumulator(0)],
        writes: [
          Loop.Write(
            binding: 1, elementType: isArgument ? .int32 : .float32,
            index: Self.affine(parallel.isEmpty ? [0] : [1, 0]), value: 0)
        ])
      var generator = Generator(seed: 9)
      // Positive, so that power is defined; near 1, so that a product stays finite.
      let input = HostArray((0..<70_000).map { _ in Float.random(in: 0.9999...1.0001, using: &generator) })
      let blank = HostArray(zeros: [parallel.first ?? 1], of: isArgument ? .int32 : .float32)
      // x^1 may be off by one unit, 6e-8; over 70,000 factors the errors add up to less than 7e4 * 6e-8 = 4e-3
      // at worst and its square root's worth in fact; sums average them.
      try check(loop, [input, blank], tolerance: fold == .product ? 1e-3 : 2e-7, floor: 0)
    }
  }

  @Test("The position of an extreme is the first, and that of a NaN beats all")
  func extremePositions() throws {
    func position(_ fold: Loop.Fold, _ values: [Float]) throws -> Int32 {
      let loop = Loop(
        extents: [], reductionExtents: [values.count],
        reads: [Loop.Read(binding: 0, elementType: .float32, index: Self.affine([1]))], body: [.read(0)],
        accumulators: [Loop.Accumulator(fold, of: 0, type: .float32)], epilogue: [.accumulator(0)],
        writes: [Loop.Write(binding: 1, elementType: .int32, index: Self.affine([0]), value: 0)])
      return try run(loop, on: [HostArray(values), HostArray([Int32(-5)])])[1].elements(as: Int32.self)[0]
    }
    var long = [Float](repeating: 0, count: 200_000)
    long[150_001] = 3
    long[150_007] = 3
    #expect(try position(.argumentMaximum, long) == 150_001)
    long[170_000] = .nan
    long[190_000] = .nan
    #expect(try position(.argumentMaximum, long) == 170_000)
    #expect(try position(.argumentMinimum, long) == 170_000)
    #expect(try position(.argumentMaximum, [-.infinity, -.infinity]) == 0)
    #expect(try position(.argumentMinimum, [2, 1, 1, 5]) == 1)
    #expect(try position(.argumentMaximum, [Float](repeating: 4, count: 50)) == 0)
  }

  @Test("Row softmax in two loops agrees with the reference")
  func softmax() throws {
    for (rows, columns) in [(60, 10), (5, 1500), (33, 257)] {
      let matrix = Loop.Read(binding: 0, elementType: .float32, index: Self.affine([columns, 1]))
      let sums = Loop(
        extents: [rows], reductionExtents: [columns], reads: [matrix],
        body: [.read(0), .apply(.exp, [0], .float32)],
        accumulators: [
          Loop.Accumulator(.sum, of: 1, type: .float32), Loop.Accumulator(.maximum, of: 0, type: .float32),
        ],
        epilogue: [
          .accumulator(0), .accumulator(1), .apply(.log, [0], .float32), .apply(.add, [2, 1], .float32),
        ],
        writes: [
          Loop.Write(binding: 1, elementType: .float32, index: Self.affine([1, 0]), value: 0),
          Loop.Write(binding: 2, elementType: .float32, index: Self.affine([1, 0]), value: 3),
        ])
      let input = Self.floats(rows * columns)
      let blank = HostArray(zeros: [rows])
      try check(sums, [input, blank, blank])
      let divide = Loop(
        extents: [rows, columns],
        reads: [matrix, Loop.Read(binding: 1, elementType: .float32, index: Self.affine([1, 0]))],
        body: [
          .read(0), .read(1), .apply(.exp, [0], .float32), .apply(.log, [1], .float32),
          .apply(.exp, [3], .float32),
          .apply(.divide, [2, 4], .float32),
        ],
        writes: [Loop.Write(binding: 2, elementType: .float32, index: Self.affine([columns, 1]), value: 5)])
      let positive = HostArray([Float](repeating: 3.5, count: rows))
      try check(divide, [input, positive, HostArray(zeros: [rows * columns])])
    }
  }

  @Test("Empty extents write nothing; empty reductions give the identity")
  func empty() throws {
    let nothing = Self.copy([0, 5], from: Self.affine([5, 1]))
    let before = HostArray([Float(1), 2])
    #expect(try run(nothing, on: [before, before])[1] == before)
  }

  @Test("Too few or too small bindings are errors, as is a malformed loop")
  func errors() throws {
    let loop = Self.copy([10], from: Self.affine([1]))
    #expect(throws: DeviceError.self) { try run(loop, on: [Self.floats(10)]) }
    #expect(throws: DeviceError.self) { try run(loop, on: [Self.floats(9), HostArray(zeros: [10])]) }
    var malformed = loop
    malformed.body = [.apply(.add, [0, 1], .float32)]
    #expect(throws: DeviceError.self) { try run(malformed, on: [Self.floats(10), HostArray(zeros: [10])]) }
  }
}
