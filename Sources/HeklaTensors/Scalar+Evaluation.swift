import Foundation
import HeklaArrays

extension Scalar {
  /// The expression's value in float64 (integers exactly), the reference that every device is held to.
  /// - Parameters:
  ///   - inputs: The value of each input.
  ///   - coordinates: The coordinates of the point.
  public func evaluate(inputs: [Double], coordinates: [Int] = []) -> Double {
    var done: [ObjectIdentifier: Double] = [:]
    return value(inputs, coordinates, &done)
  }

  private func value(_ inputs: [Double], _ coordinates: [Int], _ done: inout [ObjectIdentifier: Double])
    -> Double
  {
    switch form {
    case .input(let index): return inputs[index]
    case .constant(let value): return value
    case .coordinate(let axis): return Double(coordinates[axis])
    case .apply(let operation, let operands):
      if let known = done[identity] { return known }
      let values = operands.map { $0.value(inputs, coordinates, &done) }
      let result = operation.evaluate(values, type: operands.last?.type ?? type, result: type)
      done[identity] = result
      return result
    }
  }
}

extension ScalarOperation {
  /// The operation's value in float64; integers wrap to their width.
  /// - Parameters:
  ///   - values: The operands.
  ///   - type: The operands' type (of the last one, for `select`).
  ///   - result: The result's type.
  public func evaluate(_ values: [Double], type: ElementType, result: ElementType) -> Double {
    switch self {
    case .select: return values[0] != 0 ? values[1] : values[2]
    case .convert:
      guard !type.isFloating, !result.isFloating, result != .bool else {
        return values[0].converted(to: result)
      }
      return Double(wrapped(values[0].wholeNumber, to: result))
    case .bitcast: return Self.bitcast(values[0], from: type, to: result)
    case .threefryFirst, .threefrySecond:
      let words = values.map { UInt32(truncatingIfNeeded: $0.wholeNumber) }
      let block = RandomKey(words: SIMD2(words[0], words[1])).block(at: SIMD2(words[2], words[3]))
      return Double(self == .threefryFirst ? block.x : block.y)
    default:
      return type.isFloating ? evaluateReal(values) : evaluateWhole(values, type: type, result: result)
    }
  }

  private func evaluateReal(_ v: [Double]) -> Double {
    switch self {
    case .add: v[0] + v[1]
    case .subtract: v[0] - v[1]
    case .multiply: v[0] * v[1]
    case .divide: v[0] / v[1]
    case .remainder: fmod(v[0], v[1])
    case .minimum: v[0].isNaN || v[1].isNaN ? .nan : Swift.min(v[0], v[1])
    case .maximum: v[0].isNaN || v[1].isNaN ? .nan : Swift.max(v[0], v[1])
    case .power: Foundation.pow(v[0], v[1])
    case .atan2: Foundation.atan2(v[0], v[1])
    case .negate: -v[0]
    case .absolute: Swift.abs(v[0])
    case .sign: v[0].isNaN ? .nan : v[0] > 0 ? 1 : v[0] < 0 ? -1 : 0
    case .exp: Foundation.exp(v[0])
    case .expm1: Foundation.expm1(v[0])
    case .log: Foundation.log(v[0])
    case .log1p: Foundation.log1p(v[0])
    case .sqrt: v[0].squareRoot()
    case .reciprocalSquareRoot: 1 / v[0].squareRoot()
    case .sin: Foundation.sin(v[0])
    case .cos: Foundation.cos(v[0])
    case .tan: Foundation.tan(v[0])
    case .tanh: Foundation.tanh(v[0])
    case .asin: Foundation.asin(v[0])
    case .acos: Foundation.acos(v[0])
    case .atan: Foundation.atan(v[0])
    case .sinh: Foundation.sinh(v[0])
    case .cosh: Foundation.cosh(v[0])
    case .erf: Foundation.erf(v[0])
    case .floor: v[0].rounded(.down)
    case .ceil: v[0].rounded(.up)
    case .round: v[0].rounded(.toNearestOrEven)
    case .less: v[0] < v[1] ? 1 : 0
    case .lessOrEqual: v[0] <= v[1] ? 1 : 0
    case .equal: v[0] == v[1] ? 1 : 0
    case .notEqual: v[0] != v[1] ? 1 : 0
    case .isNaN: v[0].isNaN ? 1 : 0
    case .and: v[0] != 0 && v[1] != 0 ? 1 : 0
    case .or: v[0] != 0 || v[1] != 0 ? 1 : 0
    case .not: v[0] == 0 ? 1 : 0
    case .bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight: .nan
    case .select, .convert, .bitcast, .threefryFirst, .threefrySecond: .nan
    }
  }

  private func evaluateWhole(_ values: [Double], type: ElementType, result: ElementType) -> Double {
    let v = values.map(\.wholeNumber)
    let whole: Int64? =
      switch self {
      case .add: v[0] &+ v[1]
      case .subtract: v[0] &- v[1]
      case .multiply: v[0] &* v[1]
      case .divide: v[1] == 0 ? 0 : v[0].dividedReportingOverflow(by: v[1]).partialValue
      case .remainder: v[1] == 0 ? 0 : v[0].remainderReportingOverflow(dividingBy: v[1]).partialValue
      case .minimum: Swift.min(v[0], v[1])
      case .maximum: Swift.max(v[0], v[1])
      case .negate: 0 &- v[0]
      case .absolute: v[0] < 0 ? 0 &- v[0] : v[0]
      case .sign: v[0].signum()
      case .bitAnd: v[0] & v[1]
      case .bitOr: v[0] | v[1]
      case .bitXor: v[0] ^ v[1]
      case .shiftLeft: v[0] << v[1]
      case .shiftRight: v[0] >> v[1]
      default: nil
      }
    guard let whole else { return evaluateReal(values) }
    return Double(wrapped(whole, to: result))
  }

  private func wrapped(_ value: Int64, to type: ElementType) -> Int64 {
    switch type {
    case .int32: Int64(Int32(truncatingIfNeeded: value))
    case .uint32, .uint8: Int64(UInt32(truncatingIfNeeded: value))
    default: value
    }
  }

  private static func bitcast(_ value: Double, from type: ElementType, to result: ElementType) -> Double {
    let bits: UInt64 =
      switch type {
      case .float32: UInt64(Float(value).bitPattern)
      case .float64: value.bitPattern
      default: UInt64(bitPattern: value.wholeNumber)
      }
    return switch result {
    case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float64: Double(bitPattern: bits)
    case .int32: Double(Int32(truncatingIfNeeded: bits))
    case .uint32: Double(UInt32(truncatingIfNeeded: bits))
    default: Double(Int64(bitPattern: bits))
    }
  }
}

extension Double {
  /// The number as an `Int64`, held at its bounds: beyond 2^53 a `Double` no longer tells neighbours apart.
  fileprivate var wholeNumber: Int64 { HostArray(converting: [self], shape: [], to: .int64).elements()[0] }

  /// A result as memory of `type` holds it: whole numbers keep their low bits.
  func stored(as type: ElementType) -> Double {
    switch type {
    case .uint8: Double(UInt8(truncatingIfNeeded: wholeNumber))
    case .int32: Double(Int32(truncatingIfNeeded: wholeNumber))
    case .uint32: Double(UInt32(truncatingIfNeeded: wholeNumber))
    default: self
    }
  }

  /// The real number as a device converts it: integers truncate and saturate, `bool` is 0 or 1.
  func converted(to type: ElementType) -> Double {
    switch type {
    case .bool: self != 0 ? 1 : 0
    case .float32: Double(Float(self))
    default: HostArray(converting: [self], shape: [], to: type).doubles()[0]
    }
  }
}
