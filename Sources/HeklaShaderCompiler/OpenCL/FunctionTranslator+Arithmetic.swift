import HeklaDevices

extension FunctionTranslator {
  /// Translates an operation on numbers and truth values; false when `instruction` is none.
  func translateArithmetic(_ instruction: SPIRVInstruction) throws(DeviceError) -> Bool {
    guard let opcode = instruction.opcode, let result = module.numeric(instruction.type) else { return false }
    if let form = Self.binaryForms[opcode] {
      let left = try value(instruction.operands[0])
      let right = try value(instruction.operands[1])
      try refuseHalf(instruction, left, right)
      try define(instruction, binary(form, left, right, result: result))
      return true
    }
    if let form = Self.comparisonForms[opcode] {
      let left = try value(instruction.operands[0])
      let right = try value(instruction.operands[1])
      try refuseHalf(instruction, left, right)
      try define(instruction, comparison(form, left, right, result: result))
      return true
    }
    if try translateUnary(opcode, instruction, result: result) { return true }
    switch opcode {
    case .fMod:
      let left = try reference(instruction.operands[0])
      let right = try reference(instruction.operands[1])
      try refuseHalf(instruction, left, right)
      let quotient = OpenCLExpression.binary("/", .product, left, right, type: result)
      let whole = OpenCLExpression.binary(
        "*", .product, right, .call("floor", [quotient], type: result), type: result)
      try define(instruction, .binary("-", .sum, left, whole, type: result))
    case .fRem:
      let arguments = [try value(instruction.operands[0]), try value(instruction.operands[1])]
      try refuseHalf(instruction, arguments[0], arguments[1])
      try define(instruction, .call("fmod", arguments, type: result))
    case .sMod:
      let left = try value(instruction.operands[0]).reinterpreted(as: result.signed)
      let right = try value(instruction.operands[1]).reinterpreted(as: result.signed)
      try define(
        instruction,
        .call(program.support(.signedModulo, for: result.signed), [left, right], type: result.signed)
          .reinterpreted(as: result))
    case .dot:
      let arguments = [try value(instruction.operands[0]), try value(instruction.operands[1])]
      try refuseHalf(instruction, arguments[0], arguments[1])
      try define(instruction, .call("dot", arguments, type: result))
    case .select: try translateSelect(instruction, result: result)
    case .bitFieldInsert:
      var arguments = [try value(instruction.operands[0]), try value(instruction.operands[1])]
        .map { $0.reinterpreted(as: result.unsigned) }
      for operand in instruction.operands.dropFirst(2) { arguments.append(try unsignedScalar(operand)) }
      try define(
        instruction,
        .call(program.support(.bitFieldInsert, for: result.unsigned), arguments, type: result.unsigned)
          .reinterpreted(as: result))
    case .bitFieldSExtract, .bitFieldUExtract:
      let base = opcode == .bitFieldSExtract ? result.signed : result.unsigned
      var arguments = [try value(instruction.operands[0]).reinterpreted(as: base)]
      for operand in instruction.operands.dropFirst() { arguments.append(try unsignedScalar(operand)) }
      try define(
        instruction,
        .call(program.support(.bitFieldExtract, for: base), arguments, type: base).reinterpreted(as: result))
    default: return false
    }
    return true
  }

  /// How operands are read, whatever the signedness of their types: in SPIR-V the operation decides.
  enum Operands {
    case unsigned, signed, float, truth
    /// Unsigned, as only that wraps around in C; the result is the same.
    case wrapping
    /// The left operand signed, the right one any.
    case signedLeft
  }

  static let binaryForms: [SPIRVOpcode: (String, OpenCLExpression.Precedence, Operands)] = [
    .iAdd: ("+", .sum, .wrapping), .iSub: ("-", .sum, .wrapping), .iMul: ("*", .product, .wrapping),
    .uDiv: ("/", .product, .unsigned), .sDiv: ("/", .product, .signed),
    .uMod: ("%", .product, .unsigned), .sRem: ("%", .product, .signed),
    .fAdd: ("+", .sum, .float), .fSub: ("-", .sum, .float), .fMul: ("*", .product, .float),
    .fDiv: ("/", .product, .float), .vectorTimesScalar: ("*", .product, .float),
    .matrixTimesScalar: ("*", .product, .float),
    .shiftLeftLogical: ("<<", .shift, .wrapping), .shiftRightLogical: (">>", .shift, .unsigned),
    .shiftRightArithmetic: (">>", .shift, .signedLeft),
    .bitwiseOr: ("|", .or, .wrapping), .bitwiseXor: ("^", .xor, .wrapping),
    .bitwiseAnd: ("&", .and, .wrapping),
    .logicalOr: ("||", .logicalOr, .truth), .logicalAnd: ("&&", .logicalAnd, .truth),
  ]

  private func binary(
    _ form: (symbol: String, precedence: OpenCLExpression.Precedence, operands: Operands),
    _ left: OpenCLExpression, _ right: OpenCLExpression, result: NumericType
  ) -> OpenCLExpression {
    switch form.operands {
    case .float:
      return .binary(form.symbol, form.precedence, left, right, type: result)
    case .truth:
      guard result.count > 1 else { return .binary(form.symbol, form.precedence, left, right, type: result) }
      let symbol = String(form.symbol.prefix(1))
      return .binary(symbol, symbol == "|" ? .or : .and, left, right, type: result)
    case .unsigned, .signed, .wrapping, .signedLeft:
      let isSigned = form.operands == .signed || form.operands == .signedLeft
      let type = isSigned ? result.signed : result.unsigned
      var second = right
      if form.precedence == .shift {
        if let rightType = right.type, rightType.width != type.width {
          second = converted(right.reinterpreted(as: rightType.unsigned), to: type.unsigned)
        }
        second = second.reinterpreted(as: form.operands == .signedLeft ? type.signed : type.unsigned)
      } else {
        second = second.reinterpreted(as: type)
      }
      let plain = OpenCLExpression.binary(
        form.symbol, form.precedence, left.reinterpreted(as: type), second, type: type)
      // C computes with at least 32 bits, so narrow results are cut back.
      return narrowed(plain, to: type).reinterpreted(as: result)
    }
  }

  private func narrowed(_ expression: OpenCLExpression, to type: NumericType) -> OpenCLExpression {
    guard type.width < 32, type.count == 1 else { return expression }
    return OpenCLExpression(
      "(\(type.name))\(expression.text(atLeast: .prefix))", type, precedence: .prefix,
      regions: expression.regions)
  }

  static let comparisonForms: [SPIRVOpcode: (String, Operands, isNegated: Bool)] = [
    .iEqual: ("==", .unsigned, false), .iNotEqual: ("!=", .unsigned, false),
    .uGreaterThan: (">", .unsigned, false), .sGreaterThan: (">", .signed, false),
    .uGreaterThanEqual: (">=", .unsigned, false), .sGreaterThanEqual: (">=", .signed, false),
    .uLessThan: ("<", .unsigned, false), .sLessThan: ("<", .signed, false),
    .uLessThanEqual: ("<=", .unsigned, false), .sLessThanEqual: ("<=", .signed, false),
    .fOrdEqual: ("==", .float, false), .fUnordNotEqual: ("!=", .float, false),
    .fOrdLessThan: ("<", .float, false), .fOrdGreaterThan: (">", .float, false),
    .fOrdLessThanEqual: ("<=", .float, false), .fOrdGreaterThanEqual: (">=", .float, false),
    // True where an operand is NaN: the opposite comparison, turned round.
    .fUnordLessThan: (">=", .float, true), .fUnordGreaterThan: ("<=", .float, true),
    .fUnordLessThanEqual: (">", .float, true), .fUnordGreaterThanEqual: ("<", .float, true),
    .fOrdNotEqual: ("islessgreater", .float, false), .fUnordEqual: ("islessgreater", .float, true),
    .lessOrGreater: ("islessgreater", .float, false), .ordered: ("isordered", .float, false),
    .unordered: ("isunordered", .float, false),
    .logicalEqual: ("==", .truth, false), .logicalNotEqual: ("!=", .truth, false),
  ]

  private func comparison(
    _ form: (name: String, operands: Operands, isNegated: Bool), _ left: OpenCLExpression,
    _ right: OpenCLExpression, result: NumericType
  ) -> OpenCLExpression {
    var (first, second) = (left, right)
    if form.operands == .unsigned || form.operands == .signed, let type = left.type, type.isInteger {
      // Equality needs no cast where both operands have the same type already.
      let isEquality = form.name == "==" || form.name == "!="
      let common =
        isEquality && left.type == right.type ? type : form.operands == .signed ? type.signed : type.unsigned
      first = left.reinterpreted(as: common)
      second = right.reinterpreted(as: common)
    }
    let plain: OpenCLExpression
    if form.name.first?.isLetter == true {
      plain = .call(form.name, [first, second], type: result)
    } else {
      let precedence: OpenCLExpression.Precedence =
        form.name == "==" || form.name == "!=" ? .equality : .relational
      plain = .binary(form.name, precedence, first, second, type: result)
    }
    return truth(plain, of: left.type, isNegated: form.isNegated, result: result)
  }

  /// A comparison of operands of type `operands`, as `result`: vectors of other widths become vectors of int.
  func truth(
    _ comparison: OpenCLExpression, of operands: NumericType?, isNegated: Bool = false, result: NumericType
  ) -> OpenCLExpression {
    guard result.count > 1 else { return isNegated ? comparison.negated : comparison }
    var vector = comparison
    if let width = operands?.width, width != 32, operands?.kind != .boolean {
      vector = OpenCLExpression(
        "convert_int\(result.count)(\(comparison.text))", result, regions: comparison.regions)
    }
    guard isNegated else { return vector }
    return OpenCLExpression(
      "~\(vector.text(atLeast: .prefix))", result, precedence: .prefix, regions: vector.regions)
  }

  private func translateSelect(_ instruction: SPIRVInstruction, result: NumericType) throws(DeviceError) {
    let condition = try value(instruction.operands[0])
    let yes = try value(instruction.operands[1]).reinterpreted(as: result)
    let no = try value(instruction.operands[2]).reinterpreted(as: result)
    let regions = condition.regions.union(yes.regions).union(no.regions)
    guard let type = condition.type, type.count > 1 else {
      let text = [
        condition.text(atLeast: .logicalOr), "?", yes.text(atLeast: .logicalOr), ":",
        no.text(atLeast: .conditional),
      ].joined(separator: " ")
      return try define(
        instruction, OpenCLExpression(text, result, precedence: .conditional, regions: regions))
    }
    var mask = condition.text
    // The components of the mask must be as wide as those selected.
    let width = result.kind == .boolean ? 32 : result.width
    if width != 32 {
      mask = "convert_\(NumericType(kind: .signed, width: width, count: type.count).name)(\(mask))"
    }
    try define(
      instruction, OpenCLExpression("select(\(no.text), \(yes.text), \(mask))", result, regions: regions))
  }

  private func unsignedScalar(_ id: UInt32) throws(DeviceError) -> OpenCLExpression {
    try value(id).reinterpreted(as: NumericType(kind: .unsigned, width: 32))
  }

  /// Refuses arithmetic in half precision, which OpenCL C 1.2 has in an extension only.
  func refuseHalf(_ instruction: SPIRVInstruction, _ operands: OpenCLExpression...) throws(DeviceError) {
    guard
      operands.contains(where: { $0.type?.isHalf == true })
        || module.numeric(instruction.type)?.isHalf == true
    else { return }
    throw refusal.unsupported(
      "float16 arithmetic (\(instruction.opcode?.specificationName ?? "OpExtInst"))",
      "Store float16 and compute in float: write float(x) before computing and float16_t(x) after.")
  }
}
