import HeklaArrays
import HeklaDevices
import TestSupport
import Testing

@testable import HeklaHost

/// Loops over the same rows, against the reference interpreter, which runs them one after another.
@Suite struct RowLoopsTests {
  private static let (x, factor, total, largest, sums, scaled) = (0, 1, 2, 3, 4, 5)

  /// For each row of x its sum and the row less its mean times a factor, which nobody else sees; then the largest
  /// element's place in it, and sums of it over all rows.
  private func rows(_ rowCount: Int, of length: Int, parts: Int = 1) -> (RowLoops, [HostArray]) {
    func read(_ binding: Int, _ strides: [Int]) -> Loop.Read {
      Loop.Read(binding: binding, elementType: .float32, index: LoopTests.affine(strides))
    }
    func write(_ binding: Int, _ strides: [Int], _ value: Int, _ type: ElementType = .float32) -> Loop.Write {
      Loop.Write(binding: binding, elementType: type, index: LoopTests.affine(strides), value: value)
    }
    func reduction(_ fold: Loop.Fold, of binding: Int, to result: Int, _ type: ElementType = .float32) -> Loop
    {
      Loop(
        extents: [rowCount], reductionExtents: [length], reads: [read(binding, [length, 1])],
        body: [.read(0)],
        accumulators: [Loop.Accumulator(fold, of: 0, type: .float32)], epilogue: [.accumulator(0)],
        writes: [write(result, [1], 0, type)])
    }
    let map = Loop(
      extents: [rowCount, length],
      reads: [read(Self.x, [length, 1]), read(Self.total, [1, 0]), read(Self.factor, [0, 1])],
      body: [
        .read(0), .read(1), .constant(1 / Double(length), .float32), .apply(.multiply, [1, 2], .float32),
        .apply(.subtract, [0, 3], .float32), .read(2), .apply(.multiply, [4, 5], .float32),
      ], writes: [write(Self.scaled, [length, 1], 6)])
    // The sum over rows may also be over parts of each row: [rowCount, parts, length / parts].
    let width = length / parts
    let fold = Loop(
      extents: [width], reductionExtents: [rowCount, parts], reads: [read(Self.scaled, [1, length, width])],
      body: [.read(0)], accumulators: [Loop.Accumulator(.sum, of: 0, type: .float32)],
      epilogue: [.accumulator(0)],
      writes: [write(Self.sums, [1], 0)])
    let loops = RowLoops(
      members: [
        .init(reduction(.sum, of: Self.x, to: Self.total), foldsRows: false), .init(map, foldsRows: false),
        .init(reduction(.argumentMaximum, of: Self.scaled, to: Self.largest, .int32), foldsRows: false),
        .init(fold, foldsRows: true),
      ], rowCount: rowCount, temporaryByteCounts: [4 * length])
    let memory = [
      LoopTests.floats(rowCount * length), LoopTests.floats(length, seed: 2),
      HostArray(zeros: [rowCount], of: .float32), HostArray(zeros: [rowCount], of: .int32),
      HostArray(zeros: [width], of: .float32),
    ]
    return (loops, memory)
  }

  private static let shapes = [
    (1, 40), (3, 1), (100, 7), (2_000, 128), (64, 1_024), (37, 5_000), (5_000, 12),
  ]

  @Test("Give what the loops give one after another, at every level and on any number of threads")
  func agreement() throws {
    for (rowCount, length) in Self.shapes {
      let (loops, memory) = rows(rowCount, of: length, parts: length.isMultiple(of: 4) ? 4 : 1)
      var wanted = memory + [HostArray(zeros: [rowCount * length], of: .float32)]
      for member in loops.members { wanted = evaluate(member.loop, bindings: wanted) }
      for library in OperationTests.levels {
        let first = try run(
          loops.source(name: "rows", pool: LoopTests.pools[0], library: library), on: memory)
        for pool in LoopTests.pools {
          let again = try run(loops.source(name: "rows", pool: pool, library: library), on: memory)
          #expect(again == first, "\(rowCount) x \(length): bits depend on threads")
        }
        // A difference of numbers below 1 is rounded three times, its product once more; a sum of those is off by as
        // much for each of its terms at most.
        let bound = 4 * 0x1p-24 * 2
        let terms = Double(rowCount * length) / Double(wanted[Self.sums].shape.count)
        let tolerances = [0, 0, bound * Double(length), 0, bound * terms]
        for (index, tolerance) in tolerances.enumerated() {
          let pairs = zip(first[index].doubles(), wanted[index].doubles())
          #expect(
            pairs.allSatisfy { abs($0 - $1) <= tolerance },
            "\(rowCount) x \(length) of \(library.name), binding \(index)")
        }
      }
    }
  }

  @Test("The place of the largest over all rows is counted from the first row on")
  func places() throws {
    let (rowCount, length) = (3_000, 16)
    let loop = Loop(
      extents: [length], reductionExtents: [rowCount],
      reads: [Loop.Read(binding: 0, elementType: .float32, index: LoopTests.affine([1, length]))],
      body: [.read(0)], accumulators: [Loop.Accumulator(.argumentMaximum, of: 0, type: .float32)],
      epilogue: [.accumulator(0)],
      writes: [Loop.Write(binding: 1, elementType: .int32, index: LoopTests.affine([1]), value: 0)])
    let loops = RowLoops(
      members: [.init(loop, foldsRows: true)], rowCount: rowCount, temporaryByteCounts: [])
    let memory = [LoopTests.floats(rowCount * length), HostArray(zeros: [length], of: .int32)]
    for pool in LoopTests.pools {
      let found = try run(loops.source(name: "rows", pool: pool, library: .best), on: memory)
      #expect(found == evaluate(loop, bindings: memory))
    }
  }

  @Test("Loops that have no such rows, and memory that is too small, are refused")
  func refusals() {
    let (loops, memory) = rows(10, of: 4)
    var other = loops
    other.rowCount = 7
    #expect(throws: DeviceError.self) { try run(other.source(name: "rows"), on: memory) }
    #expect(throws: DeviceError.self) { try run(loops.source(name: "rows"), on: Array(memory.dropLast())) }
  }
}
