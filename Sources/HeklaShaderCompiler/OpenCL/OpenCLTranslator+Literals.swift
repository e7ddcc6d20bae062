import HeklaDevices

extension OpenCLTranslator {
  /// A constant of type `type` as text.
  func literal(_ value: SpecializedConstants.Value, type: UInt32) throws(DeviceError) -> OpenCLExpression {
    if let numeric = module.numeric(type) {
      if numeric.width == 64, numeric.kind == .float { types.noteDouble() }
      switch value {
      case .scalar(let bits): return Self.literal(bits, numeric)
      case .composite(let parts):
        // Those of a matrix are columns.
        let bits = parts.flatMap { part -> [UInt64] in
          if case .composite(let column) = part { column.compactMap(\.bits) } else { [part.bits ?? 0] }
        }
        // Truth values in vectors are 0 and -1.
        let texts = bits.map {
          numeric.kind == .boolean ? ($0 == 0 ? "0" : "-1") : Self.literal($0, numeric.scalar).text
        }
        let list = Set(texts).count == 1 ? texts[0] : texts.joined(separator: ", ")
        return OpenCLExpression("(\(numeric.name))(\(list))", numeric, precedence: .prefix)
      }
    }
    guard case .composite(let parts) = value else {
      throw refusal.unsupported("a constant of this type", "Use scalars, vectors, arrays and structures.")
    }
    var texts: [String] = []
    var isArray = false
    for (index, part) in parts.enumerated() {
      switch module.types[type] {
      case .array(let element, _):
        isArray = true
        texts.append(try literal(part, type: element).text)
      case .structure(let members): texts.append(try literal(part, type: members[index]).text)
      default:
        throw refusal.unsupported("a constant of this type", "Use scalars, vectors, arrays and structures.")
      }
    }
    let list = texts.joined(separator: ", ")
    return OpenCLExpression(
      "(\(try types.name(type)))\(isArray ? "{{\(list)}}" : "{\(list)}")", nil, precedence: .postfix)
  }

  /// The zero of type `type`, which also stands for values that are not defined.
  func zero(_ type: UInt32) throws(DeviceError) -> OpenCLExpression {
    if let numeric = module.numeric(type) {
      let scalar = Self.literal(0, numeric.scalar)
      guard numeric.count > 1 else { return scalar }
      let text = numeric.kind == .boolean ? "0" : scalar.text
      return OpenCLExpression("(\(numeric.name))(\(text))", numeric, precedence: .prefix)
    }
    return OpenCLExpression("(\(try types.name(type))){0}", nil, precedence: .postfix)
  }

  /// A scalar constant as text.
  private static func literal(_ bits: UInt64, _ type: NumericType) -> OpenCLExpression {
    let low = UInt32(truncatingIfNeeded: bits)
    switch (type.kind, type.width) {
    case (.boolean, _): return OpenCLExpression(bits == 0 ? "false" : "true", type)
    case (.float, 16): return OpenCLExpression("(ushort)\(bits & 0xffff)", type, precedence: .prefix)
    case (.float, 64): return float(Double(bitPattern: bits), "as_double(\(bits)UL)", suffix: "", type)
    case (.float, _): return float(Float(bitPattern: low), "as_float(\(low)u)", suffix: "f", type)
    case (.unsigned, 64): return OpenCLExpression("\(bits)UL", type)
    case (.unsigned, 32): return OpenCLExpression("\(low)u", type)
    case (.unsigned, _): return OpenCLExpression("(\(type.name))\(low)", type, precedence: .prefix)
    default:
      let number = Int64(bitPattern: bits)
      let suffix = type.width == 64 ? "L" : ""
      let least = type.width == 64 ? Int64.min : Int64(Int32.min)
      // The least number has no literal: C reads the sign as an operator.
      if number == least {
        return OpenCLExpression("-\(least.magnitude - 1)\(suffix) - 1", type, precedence: .sum)
      }
      let text = "\(number)\(suffix)"
      guard type.width >= 32 else {
        return OpenCLExpression("(\(type.name))\(number < 0 ? "(\(text))" : text)", type, precedence: .prefix)
      }
      return OpenCLExpression(text, type, precedence: number < 0 ? .prefix : .atom)
    }
  }

  private static func float<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _ number: Number, _ bits: String, suffix: String, _ type: NumericType
  ) -> OpenCLExpression {
    // Swift prints the shortest digits that give the number back.
    guard number.isFinite else { return OpenCLExpression(bits, type) }
    return OpenCLExpression("\(number)\(suffix)", type, precedence: number.sign == .minus ? .prefix : .atom)
  }
}
