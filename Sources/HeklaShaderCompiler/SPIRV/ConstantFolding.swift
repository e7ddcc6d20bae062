/// The operations that `OpSpecConstantOp` allows in shaders (SPIR-V 1.3, section 3.32.7), on known values.
struct ConstantFolding {
  /// The module that the types belong to.
  let module: SPIRVModule

  /// `opcode` applied to `arguments`, part by part for vectors; nil where it is not known or divides by zero.
  func fold(
    _ opcode: SPIRVOpcode, _ arguments: [SpecializedConstants.Value], argumentTypes: [UInt32],
    resultType: UInt32
  ) -> SpecializedConstants.Value? {
    if case .vector(let component, let count) = module.types[resultType] {
      let parts = (0..<count).map { index -> SpecializedConstants.Value? in
        let row = arguments.map { argument -> SpecializedConstants.Value in
          if case .composite(let parts) = argument { parts[index] } else { argument }
        }
        return fold(opcode, row, argumentTypes: argumentTypes.map(scalar), resultType: component)
      }
      let known = parts.compactMap { $0 }
      return known.count == count ? .composite(known) : nil
    }
    let bits = arguments.compactMap(\.bits)
    guard bits.count == arguments.count else { return nil }
    let width = argumentTypes.first.map { self.width(of: scalar($0)) } ?? 32
    return scalar(opcode, bits, width: width).map { .scalar(module.normalized($0, type: resultType)) }
  }

  private func scalar(_ type: UInt32) -> UInt32 {
    if case .vector(let component, _) = module.types[type] { component } else { type }
  }

  private func width(of type: UInt32) -> Int {
    switch module.types[type] {
    case .integer(let width, _), .float(let width): width
    default: 32
    }
  }

  /// One operation on bits; operands are read as signed or unsigned numbers of `width` bits as it asks.
  private func scalar(_ opcode: SPIRVOpcode, _ bits: [UInt64], width: Int) -> UInt64? {
    let shift = UInt64(64 - width)
    let unsigned = bits.map { ($0 << shift) >> shift }
    let signed = bits.map { Int64(bitPattern: $0 << shift) >> Int64(shift) }
    switch (opcode, bits.count) {
    case (.select, 3): return bits[0] != 0 ? bits[1] : bits[2]
    case (.logicalNot, 1): return bits[0] == 0 ? 1 : 0
    case (.sNegate, 1): return 0 &- bits[0]
    case (.not, 1): return ~bits[0]
    case (.uConvert, 1): return unsigned[0]
    case (.sConvert, 1): return UInt64(bitPattern: signed[0])
    case (_, 2): break
    default: return nil
    }
    func truth(_ condition: Bool) -> UInt64 { condition ? 1 : 0 }
    let (u, v, s, t) = (unsigned[0], unsigned[1], signed[0], signed[1])
    switch opcode {
    case .iAdd: return u &+ v
    case .iSub: return u &- v
    case .iMul: return u &* v
    case .uDiv: return v == 0 ? nil : u / v
    case .uMod: return v == 0 ? nil : u % v
    case .sDiv: return t == 0 ? nil : UInt64(bitPattern: s.dividedReportingOverflow(by: t).partialValue)
    case .sRem:
      return t == 0 ? nil : UInt64(bitPattern: s.remainderReportingOverflow(dividingBy: t).partialValue)
    case .sMod:
      guard t != 0 else { return nil }
      let rest = s.remainderReportingOverflow(dividingBy: t).partialValue
      return UInt64(bitPattern: rest != 0 && (rest < 0) != (t < 0) ? rest &+ t : rest)
    case .shiftRightLogical: return v < 64 ? u >> v : 0
    case .shiftRightArithmetic: return UInt64(bitPattern: s >> Int64(min(v, 63)))
    case .shiftLeftLogical: return v < 64 ? u << v : 0
    case .bitwiseOr: return u | v
    case .bitwiseXor: return u ^ v
    case .bitwiseAnd: return u & v
    case .logicalOr: return truth(u != 0 || v != 0)
    case .logicalAnd: return truth(u != 0 && v != 0)
    case .logicalEqual: return truth((u != 0) == (v != 0))
    case .logicalNotEqual: return truth((u != 0) != (v != 0))
    case .iEqual: return truth(u == v)
    case .iNotEqual: return truth(u != v)
    case .uGreaterThan: return truth(u > v)
    case .uGreaterThanEqual: return truth(u >= v)
    case .uLessThan: return truth(u < v)
    case .uLessThanEqual: return truth(u <= v)
    case .sGreaterThan: return truth(s > t)
    case .sGreaterThanEqual: return truth(s >= t)
    case .sLessThan: return truth(s < t)
    case .sLessThanEqual: return truth(s <= t)
    default: return nil
    }
  }
}
