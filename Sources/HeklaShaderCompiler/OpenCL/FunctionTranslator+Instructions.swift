import HeklaDevices

extension FunctionTranslator {
  /// Translates one instruction of `current` that is no branch.
  func translate(_ instruction: SPIRVInstruction, in current: SPIRVModule.Block) throws(DeviceError) {
    let operands = instruction.operands
    // The negation that `||` branches on; the operator itself has the positive.
    if let circuit = circuits[current.label], circuit.isOr,
      instruction.result == current.terminator.operands.first, instruction.opcode == .logicalNot
    {
      return
    }
    switch instruction.opcode {
    case .phi: break
    case .variable: try translateVariable(instruction)
    case .accessChain, .inBoundsAccessChain: try translateAccessChain(instruction)
    case .load: try translateLoad(instruction)
    case .store:
      try store(try value(operands[1]), to: try pointer(operands[0]))
    case .copyMemory: try translateCopy(instruction)
    case .functionCall: try translateCall(instruction)
    case .extInst:
      guard operands[0] == module.glslInstructionSet else { throw refusal.unsupported(instruction) }
      try translateGLSLInstruction(instruction)
    case .controlBarrier, .memoryBarrier: try translateBarrier(instruction)
    case .arrayLength:
      throw refusal.unsupported(
        "the length of a runtime array (.length())", "Pass the number of elements as a push constant.")
    default:
      if try translateComposite(instruction) { return }
      if try translateArithmetic(instruction) { return }
      if try translateAtomic(instruction) { return }
      throw refusal.unsupported(instruction)
    }
  }

  private func translateVariable(_ instruction: SPIRVInstruction) throws(DeviceError) {
    guard let (storage, type) = module.pointer(instruction.type) else { return }
    let name = names.unique(module.names[instruction.result] ?? "variable")
    variableNames[instruction.result] = name
    pointers[instruction.result] = Pointer(
      variable: instruction.result, storage: storage, variableType: type, type: type)
    declarations.append(OpenCLDeclaration(type: try types.name(type), name: name))
    if instruction.operands.count > 1 {
      statements.append(.expression("\(name) = \(try value(instruction.operands[1]).text)"))
    }
  }

  private func translateCopy(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let source = try pointer(instruction.operands[1])
    let target = try pointer(instruction.operands[0])
    let value =
      source.storage == .storageBuffer
      ? try loadBuffer(try address(source), type: source.type, isTop: true) : try place(source).expression
    try store(value, to: target)
  }

  private func translateCall(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let callee = instruction.operands[0]
    var arguments = program.captureArguments(of: callee, isKernel: isKernel)
    for id in instruction.operands.dropFirst() {
      if pointers[id] != nil || module.variables.contains(where: { $0.result == id }) {
        let target = try pointer(id)
        guard target.storage == .function else {
          throw refusal.unsupported(
            "a pointer to a buffer or shared memory as a function's argument",
            "Use the variable in the function.")
        }
        arguments.append(
          "&\(try place(target).expression.text(atLeast: .postfix))".replacingAddressOfParameter)
      } else {
        arguments.append(try value(id).text)
      }
    }
    // The function may write whatever it can reach.
    try settle { _ in true }
    let call = OpenCLExpression(
      "\(program.functionNames[callee] ?? "")(\(arguments.joined(separator: ", ")))",
      module.numeric(instruction.type))
    if case .void? = module.types[instruction.type] {
      statements.append(.expression(call.text))
    } else {
      try perform(instruction, call)
    }
  }

  private func translateBarrier(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let isControl = instruction.opcode == .controlBarrier
    let scope = program.constants.integer(instruction.operands[0])
    // Scope 3 is the subgroup (SPIR-V 1.3, section 3.27).
    guard scope != 3 else {
      throw refusal.unsupported(
        "subgroupBarrier()", "Give this device a variant of the kernel without subgroups.")
    }
    let semantics = program.constants.integer(instruction.operands[isControl ? 2 : 1]) ?? 0
    var fences: [String] = []
    // Memory semantics 0x40 is storage buffers and 0x100 is shared memory (section 3.25).
    if semantics & 0x100 != 0 || isControl { fences.append("CLK_LOCAL_MEM_FENCE") }
    if semantics & 0x40 != 0 { fences.append("CLK_GLOBAL_MEM_FENCE") }
    try settle { _ in true }
    guard !fences.isEmpty else { return }
    statements.append(
      .expression("\(isControl ? "barrier" : "mem_fence")(\(fences.joined(separator: " | ")))"))
  }

  private func translateAtomic(_ instruction: SPIRVInstruction) throws(DeviceError) -> Bool {
    guard let opcode = instruction.opcode, let form = Self.atomicForms[opcode] else { return false }
    let operands = instruction.operands
    let target = try pointer(operands[0])
    guard var type = module.numeric(target.type), type.isInteger, type.width == 32 else {
      throw refusal.unsupported(
        "\(opcode.specificationName) on anything but 32-bit integers",
        "Use int or uint, or a kernel without atomics.")
    }
    if let kind = form.kind { type.kind = kind }
    let text: String
    let region: OpenCLExpression.Region
    if target.storage == .workgroup {
      text = "(volatile __local \(type.name) *)&\(try place(target).expression.text(atLeast: .postfix))"
      region = .variable(target.variable)
    } else {
      text = atomicPointer(try address(target), type)
      region = .buffers
    }
    var arguments = [text]
    // Operands: pointer, scope, semantics (two for compare-exchange), value, comparator.
    switch opcode {
    case .atomicLoad, .atomicIIncrement, .atomicIDecrement: break
    case .atomicCompareExchange:
      arguments.append(try value(operands[5]).reinterpreted(as: type).text)
      arguments.append(try value(operands[4]).reinterpreted(as: type).text)
    default: arguments.append(try value(operands[3]).reinterpreted(as: type).text)
    }
    try settle { $0 == region }
    let call =
      opcode == .atomicLoad
      ? OpenCLExpression("*\(text)", type, precedence: .prefix)
      : OpenCLExpression("\(form.name)(\(arguments.joined(separator: ", ")))", type)
    if opcode == .atomicStore {
      statements.append(.expression(call.text))
    } else {
      try perform(instruction, call.reinterpreted(as: module.numeric(instruction.type) ?? type))
    }
    return true
  }

  private static let atomicForms: [SPIRVOpcode: (name: String, kind: NumericType.Kind?)] = [
    .atomicLoad: ("", nil), .atomicStore: ("atomic_xchg", nil), .atomicExchange: ("atomic_xchg", nil),
    .atomicCompareExchange: ("atomic_cmpxchg", nil), .atomicIIncrement: ("atomic_inc", nil),
    .atomicIDecrement: ("atomic_dec", nil), .atomicIAdd: ("atomic_add", nil),
    .atomicISub: ("atomic_sub", nil),
    .atomicSMin: ("atomic_min", .signed), .atomicUMin: ("atomic_min", .unsigned),
    .atomicSMax: ("atomic_max", .signed), .atomicUMax: ("atomic_max", .unsigned),
    .atomicAnd: ("atomic_and", nil), .atomicOr: ("atomic_or", nil), .atomicXor: ("atomic_xor", nil),
  ]
}

extension String {
  /// `&(*name)` as `name`.
  fileprivate var replacingAddressOfParameter: String {
    hasPrefix("&(*") && hasSuffix(")") ? String(dropFirst(3).dropLast()) : self
  }
}
