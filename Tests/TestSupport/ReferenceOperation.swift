import Foundation
import HeklaArrays
import HeklaDevices

/// What `operation` gives on `operands` as `type`: real numbers in `float64`, whole numbers wrapping around.
public func apply(_ operation: ScalarOperation, _ operands: [ReferenceValue], _ type: ElementType)
  -> ReferenceValue
{
  let a = operands[0]
  let b = operands.count > 1 ? operands[1] : a
  let wide = ReferenceValue.widened(type)
  func truth(_ value: Bool) -> ReferenceValue { ReferenceValue(wrapping: value ? 1 : 0, .bool) }
  func real(_ value: Double) -> ReferenceValue { ReferenceValue(value, wide) }
  func whole(_ value: Int64) -> ReferenceValue { ReferenceValue(wrapping: value, wide) }
  let isReal = a.type.isFloating
  let bits: Int64 = a.type == .int64 ? 64 : 32
  switch operation {
  case .add: return isReal ? real(a.real + b.real) : whole(a.whole &+ b.whole)
  case .subtract: return isReal ? real(a.real - b.real) : whole(a.whole &- b.whole)
  case .multiply: return isReal ? real(a.real * b.real) : whole(a.whole &* b.whole)
  case .divide:
    if isReal { return real(a.real / b.real) }
    return whole(b.whole == 0 ? 0 : a.whole.dividedReportingOverflow(by: b.whole).partialValue)
  case .remainder:
    if isReal { return real(fmod(a.real, b.real)) }
    return whole(b.whole == 0 || b.whole == -1 ? 0 : a.whole % b.whole)
  case .minimum:
    if isReal { return real(a.isNaN || b.isNaN ? .nan : min(a.real, b.real)) }
    return whole(min(a.whole, b.whole))
  case .maximum:
    if isReal { return real(a.isNaN || b.isNaN ? .nan : max(a.real, b.real)) }
    return whole(max(a.whole, b.whole))
  case .power: return real(pow(a.real, b.real))
  case .atan2: return real(Foundation.atan2(a.real, b.real))
  case .negate: return isReal ? real(-a.real) : whole(0 &- a.whole)
  case .absolute: return isReal ? real(abs(a.real)) : whole(a.whole < 0 ? 0 &- a.whole : a.whole)
  case .sign:
    if isReal { return real(a.isNaN ? .nan : a.real > 0 ? 1 : a.real < 0 ? -1 : 0) }
    return whole(a.whole.signum())
  case .exp: return real(Foundation.exp(a.real))
  case .expm1: return real(Foundation.expm1(a.real))
  case .log: return real(Foundation.log(a.real))
  case .log1p: return real(Foundation.log1p(a.real))
  case .sqrt: return real(a.real.squareRoot())
  case .reciprocalSquareRoot: return real(1 / a.real.squareRoot())
  case .sin: return real(Foundation.sin(a.real))
  case .cos: return real(Foundation.cos(a.real))
  case .tan: return real(Foundation.tan(a.real))
  case .tanh: return real(Foundation.tanh(a.real))
  case .asin: return real(Foundation.asin(a.real))
  case .acos: return real(Foundation.acos(a.real))
  case .atan: return real(Foundation.atan(a.real))
  case .sinh: return real(Foundation.sinh(a.real))
  case .cosh: return real(Foundation.cosh(a.real))
  case .erf: return real(Foundation.erf(a.real))
  case .floor: return real(a.real.rounded(.down))
  case .ceil: return real(a.real.rounded(.up))
  case .round: return real(a.real.rounded(.toNearestOrEven))
  case .less: return truth(isReal ? a.real < b.real : a.whole < b.whole)
  case .lessOrEqual: return truth(isReal ? a.real <= b.real : a.whole <= b.whole)
  case .equal: return truth(isReal ? a.real == b.real : a.whole == b.whole)
  case .notEqual: return truth(isReal ? a.real != b.real : a.whole != b.whole)
  case .isNaN: return truth(a.isNaN)
  case .and, .bitAnd: return whole(a.whole & b.whole)
  case .or, .bitOr: return whole(a.whole | b.whole)
  case .bitXor: return whole(a.whole ^ b.whole)
  case .not: return truth(a.whole == 0)
  case .shiftLeft: return whole(a.whole << (b.whole & (bits - 1)))
  case .shiftRight: return whole(a.whole >> (b.whole & (bits - 1)))
  case .select: return a.whole != 0 ? operands[1] : operands[2]
  case .convert: return a.converted(to: type)
  case .bitcast: return bitcast(a, to: wide)
  case .threefryFirst, .threefrySecond:
    let words = operands.map { UInt32(truncatingIfNeeded: $0.whole) }
    let block = RandomKey(words: [words[0], words[1]]).block(at: [words[2], words[3]])
    return ReferenceValue(wrapping: Int64(operation == .threefryFirst ? block.x : block.y), .uint32)
  }
}

private func bitcast(_ value: ReferenceValue, to type: ElementType) -> ReferenceValue {
  let bits: UInt64 =
    switch value.type {
    case .float64: value.real.bitPattern
    case .float32, .float16, .bfloat16: UInt64(Float(value.real).bitPattern)
    default: UInt64(bitPattern: value.whole)
    }
  switch type {
  case .float64: return ReferenceValue(Double(bitPattern: bits), type)
  case .float32, .float16, .bfloat16:
    return ReferenceValue(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))), type)
  default: return ReferenceValue(wrapping: Int64(bitPattern: bits), type)
  }
}
