import CHostLoops
import HeklaArrays
import HeklaDevices
import TestSupport
import Testing

@testable import HeklaHost

/// Blocks whose points lie in rows, with operands that are one element per row or a row that all rows share.
@Suite struct RowOperandTests {
  /// The first `count` points of rows of `length`, from column `first` on.
  private struct Case {
    var length: Int
    var first: Int
    var count: Int

    var rowCount: Int { (first + count - 1) / length + 1 }
    func row(_ point: Int) -> Int { (first + point) / length }
    func column(_ point: Int) -> Int { (first + point) % length }
  }

  private static func cases(leastLength: Int) -> [Case] {
    var generator = Generator(seed: 5)
    let odd = (0..<200).map { _ in
      let length = Int.random(in: leastLength...80, using: &generator)
      return Case(
        length: length, first: Int.random(in: 0..<length, using: &generator),
        count: Int.random(in: 1...300, using: &generator))
    }
    // One row and part of one, whole vectors, a row that ends with a vector, with the block, and one point later.
    let least = leastLength
    return odd + [
      Case(length: least, first: 0, count: least), Case(length: least, first: least - 1, count: 1),
      Case(length: 64, first: 0, count: 256), Case(length: 48, first: 16, count: 33),
      Case(length: 80, first: 64, count: 16), Case(length: 80, first: 64, count: 17),
      Case(length: 500, first: 3, count: 400),
    ]
  }

  /// What `function` writes of `count` elements, behind which it has to leave everything alone.
  private func result<Element: BitwiseCopyable & Equatable>(
    of function: HostBlockFunction, _ test: Case, rest: Element, operands: [UnsafeRawPointer]
  ) -> [Element] {
    var output = [Element](repeating: rest, count: test.count + 32)
    var rows = HostRows(length: test.length, first: test.first)
    output.withUnsafeMutableBytes { output in
      withUnsafePointer(to: &rows) { rows in
        let all = operands + [UnsafeRawPointer(rows)]
        all.withUnsafeBufferPointer { all in
          guard let target = output.baseAddress, let base = all.baseAddress else { return }
          function(target, base, test.count)
        }
      }
    }
    #expect(output[test.count...].allSatisfy { $0 == rest }, "wrote beyond the block: \(test)")
    return Array(output.prefix(test.count))
  }

  @Test("Every function by row and by column gives what plain loops give, at every level")
  func functions() throws {
    let operations: [(HostOperation, (Float, Float) -> Float)] = [
      (HOST_ADD, { $0 + $1 }), (HOST_SUBTRACT, { $0 - $1 }), (HOST_MULTIPLY, { $0 * $1 }),
      (HOST_DIVIDE, { $0 / $1 }),
    ]
    let block = LoopTests.floats(400).elements(as: Float.self)
    let other = LoopTests.floats(500, seed: 2).elements(as: Float.self)
    for library in OperationTests.levels {
      for test in Self.cases(leastLength: Int(HOST_LEAST_ROW)) {
        for (operation, apply) in operations {
          for operand in [HOST_SECOND_BY_ROW, HOST_FIRST_BY_ROW, HOST_SECOND_BY_COLUMN, HOST_FIRST_BY_COLUMN]
          {
            let function = try #require(library.function(operation, HOST_FLOAT32, operand))
            let isByRow = operand == HOST_SECOND_BY_ROW || operand == HOST_FIRST_BY_ROW
            // Memory ends right behind the last element that may be read.
            let elements = Array(other.prefix(isByRow ? test.rowCount : test.length))
            let found = block.withUnsafeBytes { block in
              elements.withUnsafeBytes { elements in
                result(
                  of: function, test, rest: Float(7), operands: [block, elements].compactMap(\.baseAddress))
              }
            }
            let wanted = (0..<test.count).map { point in
              let element = elements[isByRow ? test.row(point) : test.column(point)]
              let isFirst = operand == HOST_FIRST_BY_ROW || operand == HOST_FIRST_BY_COLUMN
              return isFirst ? apply(element, block[point]) : apply(block[point], element)
            }
            #expect(found == wanted, "\(library.name), \(operation), \(operand), \(test)")
          }
        }
      }
    }
  }

  private func checkSpread<Element: BitwiseCopyable & Equatable>(
    _ type: HostType, _ values: [Element], rest: Element
  ) {
    for library in OperationTests.levels {
      for test in Self.cases(leastLength: 1) {
        let elements = (0..<test.rowCount).map { values[$0 % values.count] }
        let found = elements.withUnsafeBytes { elements in
          result(
            of: library.spread(type), test, rest: rest, operands: [elements].compactMap(\.baseAddress))
        }
        #expect(
          found == (0..<test.count).map { elements[test.row($0)] }, "\(library.name), \(type), \(test)")
      }
    }
  }

  @Test("One element per row is repeated over rows of any length, for elements of every size")
  func spreads() {
    checkSpread(HOST_FLOAT32, (1...9).map(Float.init), rest: 0)
    checkSpread(HOST_FLOAT64, (1...9).map(Double.init), rest: 0)
    checkSpread(HOST_BOOL, [1, 0, 0, 1, 1] as [UInt8], rest: 9)
  }

  private static func read(
    _ binding: Int, _ strides: [Int], _ type: ElementType = .float32
  ) -> Loop.Read { Loop.Read(binding: binding, elementType: type, index: LoopTests.affine(strides)) }

  /// Reads of a block x, of one element per row in float32, float16 and int32, and of a row that all rows share, with
  /// strides over a row and over columns; `rest` strides come first.
  private static func reads(_ strides: (row: [Int], x: [Int], column: [Int])) -> [Loop.Read] {
    [
      read(0, strides.x), read(1, strides.row), read(2, strides.row, .float16),
      read(3, strides.row, .int32), read(4, strides.column),
    ]
  }

  private static func memory(_ rows: Int, _ length: Int, parts: Int = 1) -> [HostArray] {
    [
      LoopTests.floats(parts * rows * length), LoopTests.floats(parts * rows, seed: 2),
      LoopTests.floats(parts * rows, seed: 3).converted(to: .float16),
      HostArray((0..<parts * rows).map { Int32($0 % 7) }), LoopTests.floats(length, seed: 4),
    ]
  }

  /// From `reads`: (x - a) * sqrt(a * a + 1) + c, its quotient by c - b, and where the coordinate `axis` is less than
  /// the row's whole number, the row's b in its place.
  ///
  /// The reference rounds only what is stored. Numbers below 8 are rounded nine times, each off by 2^-22 at most; those of
  /// the divisor, which is at least 1, count as often as the quotient is large, which is 4 at most: 15 * 2^-22 in all.
  private static func body(axis: Int) -> [Loop.Instruction] {
    [
      .read(0), .read(1), .read(2), .read(3), .read(4), .constant(1, .float32),
      .apply(.subtract, [0, 1], .float32), .apply(.multiply, [1, 1], .float32),
      .apply(.add, [7, 5], .float32), .apply(.sqrt, [8], .float32), .apply(.multiply, [6, 9], .float32),
      .apply(.add, [10, 4], .float32), .apply(.subtract, [4, 2], .float32), .constant(3, .float32),
      .apply(.add, [12, 13], .float32), .apply(.divide, [11, 14], .float32), .coordinate(axis),
      .apply(.less, [16, 3], .bool), .apply(.select, [17, 2, 15], .float32),
    ]
  }

  private func check(_ loop: Loop, _ bindings: [HostArray], tolerance: Double) throws {
    let wanted = evaluate(loop, bindings: bindings)
    for library in OperationTests.levels {
      let first = try run(loop, on: bindings, pool: LoopTests.pools[0], library: library)
      for pool in LoopTests.pools {
        #expect(try run(loop, on: bindings, pool: pool, library: library) == first, "bits depend on threads")
      }
      for (found, wanted) in zip(first, wanted) {
        let isClose = zip(found.doubles(), wanted.doubles()).allSatisfy { abs($0 - $1) <= tolerance }
        #expect(isClose, "\(library.name): \(loop.extents) / \(loop.reductionExtents)")
      }
    }
  }

  @Test(
    "Maps over rows find what holds for a row and a column",
    arguments: [(2, 16), (37, 17), (3, 31), (130, 64), (9, 100), (5, 500), (40, 7), (2, 700)])
  func maps(rows: Int, length: Int) throws {
    for axis in [0, 1] {
      let body = Self.body(axis: axis)
      let writes = [6, 10, 11, 12, 15, 17, 18].enumerated().map { position, value in
        Loop.Write(
          binding: 5 + position, elementType: value == 17 ? .bool : .float32,
          index: LoopTests.affine([length, 1]), value: value)
      }
      let loop = Loop(
        extents: [rows, length], reads: Self.reads(([1, 0], [length, 1], [0, 1])), body: body, writes: writes)
      let results = writes.map { HostArray(zeros: [rows * length], of: $0.elementType) }
      try check(loop, Self.memory(rows, length) + results, tolerance: 0x1p-18)
    }
  }

  @Test("Reductions of rows, of columns and of parts of rows do too", arguments: [16, 33, 100, 600])
  func reductions(length: Int) throws {
    let rows = 70
    // A sum is off by what its terms are, and by its own roundings, which are less.
    func tolerance(_ terms: Int) -> Double { 2 * 0x1p-18 * Double(terms) }
    func loop(
      _ extents: [Int], _ reduction: [Int], _ strides: (row: [Int], x: [Int], column: [Int]), axis: Int
    )
      -> Loop
    {
      Loop(
        extents: extents, reductionExtents: reduction, reads: Self.reads(strides),
        body: Self.body(axis: axis),
        accumulators: [
          Loop.Accumulator(.sum, of: 18, type: .float32), Loop.Accumulator(.maximum, of: 18, type: .float32),
        ], epilogue: [.accumulator(0), .accumulator(1), .apply(.add, [0, 1], .float32)],
        writes: [
          Loop.Write(
            binding: 5, elementType: .float32,
            index: LoopTests.affine([1] + reduction.map { _ in 0 }), value: 2)
        ])
    }
    let memory = Self.memory(rows, length)
    try check(
      loop([rows], [length], ([1, 0], [length, 1], [0, 1]), axis: 1),
      memory + [HostArray(zeros: [rows])], tolerance: tolerance(length))
    try check(
      loop([length], [rows], ([0, 1], [1, length], [1, 0]), axis: 1),
      memory + [HostArray(zeros: [length])], tolerance: tolerance(rows))
    try check(
      loop([3], [7, length], ([7, 1, 0], [7 * length, length, 1], [0, 0, 1]), axis: 2),
      Self.memory(7, length, parts: 3) + [HostArray(zeros: [3])], tolerance: tolerance(7 * length))
  }

  @Test(
    "Rows are folded to the same as by the reference, also where one has a NaN", arguments: Loop.Fold.allCases
  )
  func folds(_ fold: Loop.Fold) throws {
    for length in [1, 15, 31, 32, 33, 64, 100] {
      let rows = 9
      var values = LoopTests.floats(rows * length).elements(as: Float.self)
      values[4 * length + length / 2] = .nan
      values[6 * length] = -.infinity
      let isArgument = fold == .argumentMaximum || fold == .argumentMinimum
      let type: ElementType = isArgument ? .int32 : .float32
      let loop = Loop(
        extents: [rows], reductionExtents: [length], reads: [Self.read(0, [length, 1])], body: [.read(0)],
        accumulators: [Loop.Accumulator(fold, of: 0, type: .float32)], epilogue: [.accumulator(0)],
        writes: [Loop.Write(binding: 1, elementType: type, index: LoopTests.affine([1]), value: 0)])
      let bindings = [HostArray(values), HostArray(zeros: [rows], of: type)]
      let wanted = evaluate(loop, bindings: bindings)[1].doubles()
      for library in OperationTests.levels {
        let found = try run(loop, on: bindings, library: library)[1].doubles()
        for (found, wanted) in zip(found, wanted) {
          // Sums and products accumulate in double in both, and are rounded once.
          let isSame = found == wanted || found.isNaN && wanted.isNaN
          #expect(
            isSame || abs(found - wanted) <= 0x1p-23 * abs(wanted), "\(library.name), \(fold) of \(length)")
        }
      }
    }
  }
}
