import Foundation
import HeklaArrays
import HeklaDevices

/// What `loop` means, point by point: the oracle for every device that runs loops.
///
/// Real numbers are computed in `float64` whatever their type says, whole numbers wrap around in theirs;
/// nothing is blocked, merged or reordered.
///
/// - Parameter bindings: The memory before the loop, by binding number, read and written as flat elements.
/// - Returns: The memory after the loop.
public func evaluate(_ loop: Loop, bindings: [HostArray]) -> [HostArray] {
  var interpreter = ReferenceLoop(loop: loop, memory: bindings.map(ReferenceMemory.init))
  interpreter.run()
  return zip(interpreter.memory, bindings).map { $0.array(like: $1) }
}

/// One number of any type.
public struct ReferenceValue: Sendable {
  /// The type; narrow types are told from those that registers widen them to.
  public var type: ElementType
  /// The value where `type` is floating.
  public var real: Double
  /// The value of integers, 0 or 1 for `bool`; within the type's range.
  public var whole: Int64

  /// A real number.
  public init(_ real: Double, _ type: ElementType) {
    self.type = type
    self.real = real
    whole = 0
  }

  /// A whole number, wrapped into the range of `type`.
  public init(wrapping whole: Int64, _ type: ElementType) {
    self.type = type
    real = 0
    self.whole =
      switch type {
      case .int32: Int64(Int32(truncatingIfNeeded: whole))
      case .uint32: Int64(UInt32(truncatingIfNeeded: whole))
      case .uint8: Int64(UInt8(truncatingIfNeeded: whole))
      case .bool: whole == 0 ? 0 : 1
      default: whole
      }
  }

  /// The type that registers hold values of `type` in.
  static func widened(_ type: ElementType) -> ElementType {
    switch type {
    case .float16, .bfloat16: .float32
    case .uint8: .uint32
    default: type
    }
  }

  var isNaN: Bool { type.isFloating && real.isNaN }

  /// The value converted to `target`, rounded to what the type holds.
  public func converted(to target: ElementType) -> ReferenceValue {
    if target.isFloating { return Self.rounded(type.isFloating ? real : Double(whole), to: target) }
    if target == .bool { return ReferenceValue(wrapping: type.isFloating && real != 0 ? 1 : whole, .bool) }
    if target == .uint8 {
      // Through uint32, whose low byte stays.
      let low = ReferenceValue(wrapping: type.isFloating ? Self.truncated(real, to: .uint32) : whole, .uint8)
      return ReferenceValue(wrapping: low.whole, .uint32)
    }
    return ReferenceValue(wrapping: type.isFloating ? Self.truncated(real, to: target) : whole, target)
  }

  private static func rounded(_ real: Double, to target: ElementType) -> ReferenceValue {
    switch target {
    case .float16: ReferenceValue(Double(Float16(Float(real))), .float32)
    case .bfloat16: ReferenceValue(Double(BFloat16(Float(real)).floatValue), .float32)
    default: ReferenceValue(real, target)
    }
  }

  /// Toward zero and saturating, as `HostArray` converts.
  private static func truncated(_ real: Double, to target: ElementType) -> Int64 {
    ReferenceMemory(HostArray(converting: [real], shape: [], to: target)).load(0).whole
  }
}

/// Memory as a list of numbers.
struct ReferenceMemory {
  let type: ElementType
  private var reals: [Double] = []
  private var wholes: [Int64] = []

  init(_ array: HostArray) {
    type = array.elementType
    switch type {
    case .float32, .float64, .float16, .bfloat16: reals = array.doubles()
    case .int32: wholes = array.elements(as: Int32.self).map(Int64.init)
    case .uint32: wholes = array.elements(as: UInt32.self).map(Int64.init)
    case .int64: wholes = array.elements(as: Int64.self)
    case .uint8: wholes = array.elements(as: UInt8.self).map(Int64.init)
    case .bool: wholes = array.elements(as: Bool.self).map { $0 ? 1 : 0 }
    }
  }

  func load(_ index: Int) -> ReferenceValue {
    let wide = ReferenceValue.widened(type)
    return type.isFloating
      ? ReferenceValue(reals[index], wide) : ReferenceValue(wrapping: wholes[index], wide)
  }

  mutating func store(_ value: ReferenceValue, at index: Int) {
    if type.isFloating { reals[index] = value.real } else { wholes[index] = value.whole }
  }

  func array(like array: HostArray) -> HostArray {
    switch type {
    case .float32, .float64, .float16, .bfloat16: HostArray(converting: reals, shape: array.shape, to: type)
    case .int32: HostArray(wholes.map { Int32(truncatingIfNeeded: $0) }, shape: array.shape)
    case .uint32: HostArray(wholes.map { UInt32(truncatingIfNeeded: $0) }, shape: array.shape)
    case .int64: HostArray(wholes, shape: array.shape)
    case .uint8: HostArray(wholes.map { UInt8(truncatingIfNeeded: $0) }, shape: array.shape)
    case .bool: HostArray(wholes.map { $0 != 0 }, shape: array.shape)
    }
  }
}

/// The state of an evaluation.
struct ReferenceLoop {
  let loop: Loop
  var memory: [ReferenceMemory]

  mutating func run() {
    let parallel = Shape(loop.extents)
    let reduction = Shape(loop.reductionExtents)
    for point in 0..<parallel.count {
      let coordinates = parallel.coordinates(ofIndex: point)
      var results: [ReferenceValue] = []
      if loop.accumulators.isEmpty {
        results = evaluate(loop.body, at: coordinates, accumulators: [])
      } else {
        var accumulators = loop.accumulators.map(ReferenceAccumulator.init)
        for step in 0..<reduction.count {
          let values = evaluate(
            loop.body, at: coordinates + reduction.coordinates(ofIndex: step), accumulators: [])
          for index in accumulators.indices {
            accumulators[index].fold(values[loop.accumulators[index].value], position: step)
          }
        }
        let origin = [Int](repeating: 0, count: loop.reductionExtents.count)
        results = evaluate(loop.epilogue, at: coordinates + origin, accumulators: accumulators.map(\.result))
      }
      // All values are there before the first is stored, so memory that is read and written is read first.
      for write in loop.writes {
        memory[write.binding].store(
          results[write.value].converted(to: write.elementType), at: value(of: write.index, at: coordinates))
      }
    }
  }

  private func value(of affine: Loop.Affine, at coordinates: [Int]) -> Int {
    zip(affine.strides, coordinates).reduce(affine.offset) { $0 + $1.0 * $1.1 }
  }

  private func evaluate(
    _ instructions: [Loop.Instruction], at coordinates: [Int], accumulators: [ReferenceValue]
  ) -> [ReferenceValue] {
    var values: [ReferenceValue] = []
    for instruction in instructions {
      switch instruction {
      case .constant(let number, let type):
        values.append(ReferenceMemory(HostArray(converting: [number], shape: [], to: type)).load(0))
      case .read(let index):
        let read = loop.reads[index]
        let holds = read.guards.allSatisfy { condition in
          (condition.lower..<max(condition.upper, condition.lower)).contains(
            value(of: condition.value, at: coordinates))
        }
        let wide = ReferenceValue.widened(read.elementType)
        values.append(
          holds
            ? memory[read.binding].load(value(of: read.index, at: coordinates))
            : wide.isFloating ? ReferenceValue(0, wide) : ReferenceValue(wrapping: 0, wide))
      case .coordinate(let axis): values.append(ReferenceValue(wrapping: Int64(coordinates[axis]), .int32))
      case .accumulator(let index): values.append(accumulators[index])
      case .apply(let operation, let operands, let type):
        values.append(apply(operation, operands.map { values[$0] }, type))
      }
    }
    return values
  }
}

/// One fold under way.
struct ReferenceAccumulator {
  let accumulator: Loop.Accumulator
  private var best: ReferenceValue
  private var position = 0

  init(_ accumulator: Loop.Accumulator) {
    self.accumulator = accumulator
    let type = ReferenceValue.widened(accumulator.type)
    func identity(_ real: Double, _ whole: Int64) -> ReferenceValue {
      type.isFloating ? ReferenceValue(real, type) : ReferenceValue(wrapping: whole, type)
    }
    let (least, greatest): (Int64, Int64) =
      switch type {
      case .int32: (Int64(Int32.min), Int64(Int32.max))
      case .uint32: (0, Int64(UInt32.max))
      case .bool: (0, 1)
      default: (.min, .max)
      }
    best =
      switch accumulator.fold {
      case .sum: identity(0, 0)
      case .product: identity(1, 1)
      case .maximum, .argumentMaximum: identity(-.infinity, least)
      case .minimum, .argumentMinimum: identity(.infinity, greatest)
      }
  }

  var result: ReferenceValue {
    switch accumulator.fold {
    case .argumentMaximum, .argumentMinimum: ReferenceValue(wrapping: Int64(position), .int32)
    default: best
    }
  }

  mutating func fold(_ value: ReferenceValue, position: Int) {
    switch accumulator.fold {
    case .sum:
      best =
        best.type.isFloating
        ? ReferenceValue(best.real + value.real, best.type)
        : ReferenceValue(wrapping: best.whole &+ value.whole, best.type)
    case .product:
      best =
        best.type.isFloating
        ? ReferenceValue(best.real * value.real, best.type)
        : ReferenceValue(wrapping: best.whole &* value.whole, best.type)
    case .maximum, .argumentMaximum:
      replace(by: value, position, value.real > best.real, value.whole > best.whole)
    case .minimum, .argumentMinimum:
      replace(by: value, position, value.real < best.real, value.whole < best.whole)
    }
  }

  private mutating func replace(
    by value: ReferenceValue, _ position: Int, _ realBeats: Bool, _ wholeBeats: Bool
  ) {
    let beats = best.type.isFloating ? (realBeats || value.isNaN) && !best.isNaN : wholeBeats
    guard beats else { return }
    best = value
    self.position = position
  }
}
