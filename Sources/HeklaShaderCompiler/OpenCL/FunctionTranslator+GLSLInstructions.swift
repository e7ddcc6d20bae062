import HeklaDevices

extension FunctionTranslator {
  /// Translates an instruction of the set GLSL.std.450.
  func translateGLSLInstruction(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let number = instruction.operands[1]
    var arguments: [OpenCLExpression] = []
    if number == 35 || number == 51 { return try translateOutParameter(instruction) }
    for id in instruction.operands.dropFirst(2) { arguments.append(try value(id)) }
    for argument in arguments { try refuseHalf(instruction, argument) }
    guard let result = module.numeric(instruction.type) else {
      return try translateTwoResults(instruction, arguments)
    }
    if result.kind == .float, result.width == 64 { types.noteDouble() }
    // Of a matrix times a scalar, plus a matrix.
    if module.isMatrix(instruction.type), let scalar = arguments.first {
      arguments[0] = OpenCLExpression(
        "(\(result.name))(\(scalar.text))", result, precedence: .prefix, regions: scalar.regions)
    }
    if let call = GLSLInstruction.calls[number] {
      let typed = arguments.map { argument -> OpenCLExpression in
        guard let type = argument.type, type.isInteger, call.operands != .float else { return argument }
        return argument.reinterpreted(as: call.operands == .signed ? type.signed : type.unsigned)
      }
      let type = call.operands == .float ? result : call.operands == .signed ? result.signed : result.unsigned
      return try define(
        instruction, OpenCLExpression.call(call.name, typed, type: type).reinterpreted(as: result))
    }
    var expression = try floatInstruction(number, arguments, result: result)
    if expression == nil { expression = try integerInstruction(number, arguments, result: result) }
    guard let expression = expression ?? packing(number, arguments, result: result) else {
      let name = GLSLInstruction.otherNames[number] ?? "number \(number)"
      throw refusal.unsupported(
        "the GLSL.std.450 instruction \(name)", "Write it out in terms of simpler functions.")
    }
    try define(instruction, expression)
  }

  private func floatInstruction(
    _ number: UInt32, _ arguments: [OpenCLExpression], result: NumericType
  ) throws(DeviceError) -> OpenCLExpression? {
    switch number {
    case 10:  // Fract; OpenCL's own needs a pointer and never gives 1.
      let x = try reference(arguments[0])
      return .binary("-", .sum, x, .call("floor", [x], type: result), type: result)
    case 43, 81:  // FClamp, NClamp
      let names = number == 43 ? ("min", "max") : ("fmin", "fmax")
      let raised = OpenCLExpression.call(names.1, [arguments[0], arguments[1]], type: result)
      return .call(names.0, [raised, arguments[2]], type: result)
    case 46:  // FMix, in the form of GLSL's specification, which is exact at both ends.
      let weight = try reference(arguments[2])
      let one = OpenCLExpression(result.width == 64 ? "1.0" : "1.0f", result.scalar)
      let rest = OpenCLExpression.binary("-", .sum, one, weight, type: result)
      let left = OpenCLExpression.binary("*", .product, arguments[0], rest, type: result)
      return .binary(
        "+", .sum, left, .binary("*", .product, arguments[1], weight, type: result), type: result)
    case 53:  // Ldexp
      let exponent = arguments[1].type.map { arguments[1].reinterpreted(as: $0.signed) } ?? arguments[1]
      return .call("ldexp", [arguments[0], exponent], type: result)
    default: return nil
    }
  }

  private func integerInstruction(
    _ number: UInt32, _ arguments: [OpenCLExpression], result: NumericType
  ) throws(DeviceError) -> OpenCLExpression? {
    guard let type = arguments.first?.type else { return nil }
    let signed = type.signed
    switch number {
    case 5:  // SAbs
      return .call("abs", [arguments[0].reinterpreted(as: signed)], type: type.unsigned).reinterpreted(
        as: result)
    case 7:  // SSign; for vectors a comparison gives -1.
      let x = try reference(arguments[0].reinterpreted(as: signed)).text
      let text = type.count == 1 ? "(\(x) > 0) - (\(x) < 0)" : "(\(x) < 0) - (\(x) > 0)"
      return OpenCLExpression(text, signed, precedence: .sum).reinterpreted(as: result)
    case 73:  // FindILsb: the position of the only bit of x & -x; clz(0) is 32, so 0 gives -1.
      let x = try reference(arguments[0].reinterpreted(as: type.unsigned)).text
      return highestBit(OpenCLExpression("\(x) & -\(x)", type.unsigned, precedence: .and), result: result)
    case 74:  // FindSMsb: of a negative number, the highest 0.
      let x = try reference(arguments[0].reinterpreted(as: signed)).text
      let folded = OpenCLExpression("\(x) ^ (\(x) >> \(type.width - 1))", signed, precedence: .xor)
      return highestBit(folded.reinterpreted(as: type.unsigned), result: result)
    case 75: return highestBit(arguments[0].reinterpreted(as: type.unsigned), result: result)
    default: return nil
    }
  }

  private func highestBit(_ x: OpenCLExpression, result: NumericType) -> OpenCLExpression {
    let count = OpenCLExpression.call("clz", [x], type: x.type).reinterpreted(as: result.signed)
    let last = OpenCLExpression("\((x.type?.width ?? 32) - 1)", result.signed)
    return OpenCLExpression.binary("-", .sum, last, count, type: result.signed).reinterpreted(as: result)
  }

  /// Packing into words (GLSL 4.60, section 8.4), halves through memory, the only thing that holds them.
  private func packing(
    _ number: UInt32, _ arguments: [OpenCLExpression], result: NumericType
  ) -> OpenCLExpression? {
    let x = arguments[0]
    let pair = NumericType(kind: .float, width: 32, count: 2)
    func text(_ text: String) -> OpenCLExpression { OpenCLExpression(text, result, regions: x.regions) }
    let factor = x.text(atLeast: .product)
    switch number {
    case 54: return text("as_uint(convert_char4_sat_rte(clamp(\(x.text), -1.0f, 1.0f) * 127.0f))")
    case 55: return text("as_uint(convert_uchar4_sat_rte(clamp(\(x.text), 0.0f, 1.0f) * 255.0f))")
    case 56: return text("as_uint(convert_short2_sat_rte(clamp(\(x.text), -1.0f, 1.0f) * 32767.0f))")
    case 57: return text("as_uint(convert_ushort2_sat_rte(clamp(\(x.text), 0.0f, 1.0f) * 65535.0f))")
    case 58: return text("as_uint(\(program.support(.toHalf, for: pair))(\(x.text)))")
    case 59: return text("as_double(\(x.text))")
    case 60: return text("clamp(convert_float2(as_short2(\(x.text))) / 32767.0f, -1.0f, 1.0f)")
    case 61:
      return OpenCLExpression(
        "convert_float2(as_ushort2(\(x.text))) / 65535.0f", result, precedence: .product, regions: x.regions)
    case 62: return text("\(program.support(.fromHalf, for: pair))(as_ushort2(\(x.text)))")
    case 63: return text("clamp(convert_float4(as_char4(\(x.text))) / 127.0f, -1.0f, 1.0f)")
    case 64:
      return OpenCLExpression(
        "convert_float4(as_uchar4(\(x.text))) / 255.0f", result, precedence: .product, regions: x.regions)
    case 65: return text("as_uint2(\(factor))")
    default: return nil
    }
  }

  /// `ModfStruct` and `FrexpStruct`.
  private func translateTwoResults(
    _ instruction: SPIRVInstruction, _ arguments: [OpenCLExpression]
  ) throws(DeviceError) {
    let number = instruction.operands[1]
    guard number == 36 || number == 52 else { throw refusal.unsupported(instruction) }
    let name = try build(instruction, from: nil)
    let first = types.member(0, of: instruction.type)
    let second = types.member(1, of: instruction.type)
    let function = number == 36 ? "modf" : "frexp"
    statements.append(.expression("\(name).\(first) = \(function)(\(arguments[0].text), &\(name).\(second))"))
  }

  /// `Modf` and `Frexp`, which store their second result through a pointer.
  private func translateOutParameter(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let argument = try value(instruction.operands[2])
    try refuseHalf(instruction, argument)
    let target = try pointer(instruction.operands[3])
    guard let result = module.numeric(instruction.type), let type = module.numeric(target.type) else {
      throw refusal.unsupported(instruction)
    }
    let isModf = instruction.operands[1] == 35
    let second = names.unique(isModf ? "whole" : "exponent")
    let secondType = isModf ? result : NumericType(kind: .signed, width: 32, count: result.count)
    statements.append(.declaration("\(secondType.name) \(second)"))
    let call = OpenCLExpression("\(isModf ? "modf" : "frexp")(\(argument.text), &\(second))", result)
    try perform(instruction, call)
    try store(OpenCLExpression(second, secondType).reinterpreted(as: type), to: target)
  }
}
