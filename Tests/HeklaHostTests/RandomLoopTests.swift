import HeklaArrays
import HeklaDevices
import TestSupport
import Testing

@testable import HeklaHost

/// Loops that nobody would think of, against the reference interpreter.
@Suite struct RandomLoopTests {
  @Test("Random loops agree with the reference on any number of threads", arguments: 0..<12)
  func randomLoops(batch: Int) throws {
    for number in 0..<25 {
      let seed = UInt64(batch * 1_000 + number)
      var maker = LoopMaker(seed: seed)
      let (loop, bindings) = maker.make()
      let expected = evaluate(loop, bindings: bindings)
      let first = try run(loop, on: bindings, pool: LoopTests.pools[0])
      for pool in LoopTests.pools.dropFirst() {
        #expect(try run(loop, on: bindings, pool: pool) == first, "seed \(seed): bits depend on threads")
      }
      for (actual, wanted) in zip(first, expected) {
        // Values stay below 100 and sums below 1e5 of them; a few float roundings of 6e-8 each, of what a
        // subtraction may have cancelled, give less than 1e-4 of the largest number in play. float16 and bfloat16
        // round at 2^-11 and 2^-8, and a comparison of rounded numbers is not made here.
        let step: Double =
          actual.elementType == .bfloat16 ? 0x1p-7 : actual.elementType == .float16 ? 0x1p-10 : 0
        let isWrong = zip(actual.doubles(), wanted.doubles()).contains { a, b in
          if a == b || (a.isNaN && b.isNaN) { return false }
          guard actual.elementType.isFloating else { return true }
          return !(abs(a - b) <= 1e-4 + (1e-5 + step) * abs(b))
        }
        #expect(!isWrong, "seed \(seed): \(loop)")
      }
    }
  }
}

/// Makes loops whose memory accesses are all in range.
private struct LoopMaker {
  private var generator: Generator
  private var bindings: [HostArray] = []

  init(seed: UInt64) { generator = Generator(seed: seed) }

  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  mutating func make() -> (Loop, [HostArray]) {
    let rank = below(4)
    let extents = (0..<rank).map { _ in
      [1, 2, 3, 5, 8, 17, 40][below(rank == 1 ? 7 : 6)] * (rank == 1 ? 31 : 1)
    }
    let reductionRank = below(3)
    let reductionExtents = (0..<reductionRank).map { _ in [1, 2, 4, 9, 33][below(rank > 2 ? 3 : 5)] }
    let all = extents + reductionExtents
    let isReal = below(3) > 0
    let stored: [ElementType] = isReal ? [.float32, .float16, .bfloat16] : [.int32]

    var reads: [Loop.Read] = []
    for binding in 0..<1 + below(3) {
      let index = access(all)
      let type = stored[below(stored.count)]
      let range = Nest.range(of: index, extents: all)
      let memory = (0..<range.upperBound + 1).map { _ in
        Double(Int.random(in: -40...40, using: &generator)) / (isReal ? 32 : 1)
      }
      bindings.append(HostArray(converting: memory, shape: [memory.count], to: type))
      let guards = (0..<max(0, below(4) - 1)).map { _ in condition(all) }
      reads.append(Loop.Read(binding: binding, elementType: type, index: index, guards: guards))
    }
    let type: ElementType = isReal ? .float32 : .int32
    var body = reads.indices.map { Loop.Instruction.read($0) }
    body.append(.constant(Double(1 + below(3)), type))
    if !all.isEmpty {
      body.append(.coordinate(below(all.count)))
      body.append(.apply(.convert, [body.count - 1], type))
    }
    extend(&body, type, coordinate: all.isEmpty ? nil : reads.count + 1)

    var accumulators: [Loop.Accumulator] = []
    var epilogue: [Loop.Instruction] = []
    var value = body.count - 1
    var valueType = type
    if reductionRank > 0 {
      let folds: [Loop.Fold] = isReal ? [.sum, .maximum, .minimum] : Loop.Fold.allCases
      for _ in 0...below(2) {
        accumulators.append(Loop.Accumulator(folds[below(folds.count)], of: body.count - 1, type: type))
      }
      epilogue = accumulators.indices.map { .accumulator($0) } + [.constant(2, type)]
      let last = accumulators.count - 1
      let isArgument = [.argumentMaximum, .argumentMinimum].contains(accumulators[last].fold)
      valueType = isArgument ? .int32 : type
      epilogue.append(.apply(.maximum, [last, isArgument || !isReal ? last : accumulators.count], valueType))
      value = epilogue.count - 1
    }
    // Written in row-major order, or transposed.
    var strides = Shape(extents).strides
    if rank > 1, below(3) == 0 {
      strides = Array(Shape(extents.reversed()).strides.reversed())
    }
    let output = isReal ? stored[below(3)] : valueType
    bindings.append(HostArray(zeros: [max(Shape(extents).count, 1)], of: output))
    let write = Loop.Write(
      binding: reads.count, elementType: output,
      index: Loop.Affine(offset: 0, strides: strides + [Int](repeating: 0, count: reductionRank)),
      value: value)
    return (
      Loop(
        extents: extents, reductionExtents: reductionExtents, reads: reads, body: body,
        accumulators: accumulators,
        epilogue: epilogue, writes: [write]), bindings
    )
  }

  /// A few operations on what is there already.
  private mutating func extend(_ body: inout [Loop.Instruction], _ type: ElementType, coordinate: Int?) {
    for _ in 0..<1 + below(5) {
      var operands = (0..<2).map { _ in below(body.count) }
      for position in operands.indices where operands[position] == coordinate { operands[position] += 1 }
      let operations: [ScalarOperation] = [.add, .subtract, .minimum, .maximum]
      body.append(.apply(operations[below(operations.count)], operands, type))
    }
  }

  /// Row-major, column-major, repeating, or wild.
  private mutating func access(_ extents: [Int]) -> Loop.Affine {
    var strides = Shape(extents).strides
    switch below(4) {
    case 0: break
    case 1: strides = Array(Shape(extents.reversed()).strides.reversed())
    case 2: for axis in strides.indices where below(2) == 0 { strides[axis] = 0 }
    default: strides = strides.map { _ in [0, 1, -1, 2, 7, -5, 64][below(7)] }
    }
    let lowest = Nest.range(of: Loop.Affine(offset: 0, strides: strides), extents: extents).lowerBound
    return Loop.Affine(offset: -lowest, strides: strides)
  }

  private mutating func condition(_ extents: [Int]) -> Loop.Guard {
    let strides = extents.map { _ in [0, 0, 1, -1, 2, -3][below(6)] }
    let value = Loop.Affine(offset: below(5) - 2, strides: strides)
    let range = Nest.range(of: value, extents: extents)
    let lower = Int.random(in: range.lowerBound - 1...range.upperBound, using: &generator)
    return Loop.Guard(value, lower: lower, upper: lower + 1 + below(range.count + 1))
  }
}
