/// The constants of a module once its specialization constants have their values.
///
/// A scalar is kept as its bits, integers sign- or zero-extended to 64 by their type, as SPIR-V's arithmetic
/// on constants is modular and narrowed back after each step.
struct SpecializedConstants {
  /// A constant's value.
  indirect enum Value: Hashable {
    /// The bits of a number or truth value.
    case scalar(UInt64)
    /// The parts of a vector, array or structure.
    case composite([Value])

    /// The bits, or nil for a composite.
    var bits: UInt64? {
      if case .scalar(let bits) = self { bits } else { nil }
    }
  }

  private var values: [UInt32: Value] = [:]

  /// The constants of `module`, with `overrides` by specialization id.
  init(_ module: SPIRVModule, overrides: [UInt32: UInt32]) {
    for (id, instruction) in module.constants.sorted(by: { $0.key < $1.key }) where values[id] == nil {
      _ = evaluate(instruction, module: module, overrides: overrides)
    }
  }

  /// The value of constant `id`, or nil when it is none or its operation is not known.
  subscript(id: UInt32) -> Value? { values[id] }

  /// The value of integer constant `id`.
  func integer(_ id: UInt32) -> Int? { values[id]?.bits.map { Int(truncatingIfNeeded: $0) } }

  // Ids need not be in order, so each constant evaluates its operands first.
  private mutating func evaluate(
    _ instruction: SPIRVInstruction, module: SPIRVModule, overrides: [UInt32: UInt32]
  ) -> Value? {
    if let known = values[instruction.result] { return known }
    let override = module.decoration(.specializationID, of: instruction.result)?.first.flatMap {
      overrides[$0]
    }
    let operands = instruction.operands
    func part(_ id: UInt32, _ constants: inout Self) -> Value? {
      module.constants[id].flatMap { constants.evaluate($0, module: module, overrides: overrides) }
    }
    var value: Value?
    switch instruction.opcode {
    case .constantTrue: value = .scalar(1)
    case .constantFalse: value = .scalar(0)
    case .specConstantTrue: value = .scalar(override.map { $0 == 0 ? 0 : 1 } ?? 1)
    case .specConstantFalse: value = .scalar(override.map { $0 == 0 ? 0 : 1 } ?? 0)
    case .constant, .specConstant:
      let high = operands.count > 1 ? UInt64(operands[1]) << 32 : 0
      let bits = override.map(UInt64.init) ?? (high | UInt64(operands[0]))
      value = .scalar(module.normalized(bits, type: instruction.type))
    case .constantComposite, .specConstantComposite:
      var parts: [Value] = []
      for id in operands {
        guard let next = part(id, &self) else { return nil }
        parts.append(next)
      }
      value = .composite(parts)
    case .constantNull, .undef: value = zero(of: instruction.type, module: module, overrides: overrides)
    case .specConstantOp:
      guard let opcode = SPIRVOpcode(rawValue: UInt16(truncatingIfNeeded: operands[0])) else { return nil }
      switch opcode {
      case .compositeExtract:
        guard var found = part(operands[1], &self) else { return nil }
        for index in operands.dropFirst(2) {
          guard case .composite(let parts) = found, parts.indices.contains(Int(index)) else { return nil }
          found = parts[Int(index)]
        }
        value = found
      default:
        var arguments: [Value] = []
        var types: [UInt32] = []
        for id in operands.dropFirst() {
          guard let next = part(id, &self), let constant = module.constants[id] else { return nil }
          arguments.append(next)
          types.append(constant.type)
        }
        value = ConstantFolding(module: module).fold(
          opcode, arguments, argumentTypes: types, resultType: instruction.type)
      }
    default: value = nil
    }
    values[instruction.result] = value
    return value
  }

  private mutating func zero(of type: UInt32, module: SPIRVModule, overrides: [UInt32: UInt32]) -> Value? {
    switch module.types[type] {
    case .bool, .integer, .float: return .scalar(0)
    case .vector(let part, let count), .matrix(let part, let count):
      return zero(of: part, module: module, overrides: overrides)
        .map { .composite(Array(repeating: $0, count: count)) }
    case .array(let element, let length):
      guard let constant = module.constants[length],
        let count = evaluate(constant, module: module, overrides: overrides)?.bits,
        let part = zero(of: element, module: module, overrides: overrides)
      else { return nil }
      return .composite(Array(repeating: part, count: Int(count)))
    case .structure(let members):
      var parts: [Value] = []
      for member in members {
        guard let part = zero(of: member, module: module, overrides: overrides) else { return nil }
        parts.append(part)
      }
      return .composite(parts)
    default: return nil
    }
  }
}

extension SPIRVModule {
  /// `bits` as a value of scalar type `type` keeps them: cut to its width, then sign-extended if it is signed.
  func normalized(_ bits: UInt64, type: UInt32) -> UInt64 {
    switch types[type] {
    case .integer(let width, let isSigned) where width < 64:
      let shift = UInt64(64 - width)
      let extended = UInt64(bitPattern: Int64(bitPattern: bits << shift) >> Int64(shift))
      return isSigned ? extended : (bits << shift) >> shift
    case .float(let width) where width < 64:
      let shift = UInt64(64 - width)
      return (bits << shift) >> shift
    default: return bits
    }
  }
}
