import HeklaDevices

extension FunctionTranslator {
  /// Translates an operation with one operand; false when `opcode` is none.
  func translateUnary(
    _ opcode: SPIRVOpcode, _ instruction: SPIRVInstruction, result: NumericType
  ) throws(DeviceError) -> Bool {
    guard Self.unaryOpcodes.contains(opcode) else { return false }
    let operand = try value(instruction.operands[0])
    guard let source = operand.type else { return false }
    switch opcode {
    case .fConvert, .bitcast: break
    default: try refuseHalf(instruction, operand)
    }
    func prefixed(_ symbol: String, _ expression: OpenCLExpression, _ type: NumericType) -> OpenCLExpression {
      // Two signs in a row would be a decrement.
      let least: OpenCLExpression.Precedence = expression.text.hasPrefix(symbol) ? .postfix : .prefix
      let plain = OpenCLExpression(
        "\(symbol)\(expression.text(atLeast: least))", type, precedence: .prefix, regions: expression.regions)
      guard type.isInteger, type.width < 32, type.count == 1 else { return plain }
      return OpenCLExpression(
        "(\(type.name))\(plain.text)", type, precedence: .prefix, regions: plain.regions)
    }
    let value: OpenCLExpression
    switch opcode {
    case .sNegate: value = prefixed("-", operand.reinterpreted(as: result.unsigned), result.unsigned)
    case .not: value = prefixed("~", operand.reinterpreted(as: result.unsigned), result.unsigned)
    case .fNegate: value = prefixed("-", operand, result)
    case .logicalNot: value = result.count > 1 ? prefixed("~", operand, result) : operand.negated
    case .isNaN: value = truth(.call("isnan", [operand], type: result), of: source, result: result)
    case .isInf: value = truth(.call("isinf", [operand], type: result), of: source, result: result)
    case .any, .all: value = .call(opcode == .any ? "any" : "all", [operand], type: result)
    case .bitCount:
      value = .call(
        "popcount", [operand], type: NumericType(kind: source.kind, width: source.width, count: source.count))
    case .bitReverse:
      let unsigned = source.unsigned
      value = .call(
        program.support(.bitReverse, for: unsigned), [operand.reinterpreted(as: unsigned)], type: unsigned)
    case .convertFToU, .convertFToS, .convertSToF, .convertUToF, .uConvert, .sConvert:
      let isSigned = opcode == .convertSToF || opcode == .sConvert
      let typed =
        source.isInteger ? operand.reinterpreted(as: isSigned ? source.signed : source.unsigned) : operand
      let target = opcode == .convertFToU ? result.unsigned : opcode == .convertFToS ? result.signed : result
      value = converted(typed, to: target)
    case .fConvert: value = try convertedFloat(operand, to: result, instruction)
    case .bitcast: value = operand.reinterpreted(as: result)
    default: return false
    }
    if result.kind == .float, result.width == 64 { types.noteDouble() }
    try define(
      instruction, value.type?.isInteger == true && result.isInteger ? value.reinterpreted(as: result) : value
    )
    return true
  }

  private static let unaryOpcodes: Set<SPIRVOpcode> = [
    .sNegate, .not, .fNegate, .logicalNot, .isNaN, .isInf, .any, .all, .bitCount, .bitReverse, .convertFToU,
    .convertFToS, .convertSToF, .convertUToF, .uConvert, .sConvert, .fConvert, .bitcast,
  ]

  /// `expression` as a number of type `target`, of as many components.
  func converted(_ expression: OpenCLExpression, to target: NumericType) -> OpenCLExpression {
    guard expression.type != target else { return expression }
    guard target.count == 1 else {
      return OpenCLExpression(
        "convert_\(target.name)(\(expression.text))", target, regions: expression.regions)
    }
    return OpenCLExpression(
      "(\(target.name))\(expression.text(atLeast: .prefix))", target, precedence: .prefix,
      regions: expression.regions)
  }

  private func convertedFloat(
    _ operand: OpenCLExpression, to result: NumericType, _ instruction: SPIRVInstruction
  ) throws(DeviceError) -> OpenCLExpression {
    guard let source = operand.type, source.isHalf || result.isHalf else {
      return converted(operand, to: result)
    }
    let single = NumericType(kind: .float, width: 32, count: source.count)
    if source.isHalf {
      let wide = OpenCLExpression.call(program.support(.fromHalf, for: single), [operand], type: single)
      return converted(wide, to: result)
    }
    // Through float a double would be rounded twice.
    guard source.width == 32 else {
      throw refusal.unsupported("a conversion from double to float16", "Convert to float first.")
    }
    return .call(program.support(.toHalf, for: single), [operand], type: result)
  }
}
