import HeklaDevices

/// Translates one function: its state, and how values become text.
///
/// A value that is used once, in its own block, is written where it is used; every other becomes a constant.
/// So an expression of GLSL comes out as one expression of OpenCL C. A value that reads memory is written
/// down before that memory may change.
final class FunctionTranslator {
  /// A value that is written where it is used.
  struct Pending {
    var expression: OpenCLExpression
    var type: UInt32
    var remainingUses: Int
  }

  /// The program the function belongs to.
  let program: OpenCLTranslator
  /// The function.
  let function: SPIRVModule.Function
  /// Its blocks by label.
  let blocks: [UInt32: SPIRVModule.Block]
  /// Its short-circuit operators by the block that heads them.
  let circuits: [UInt32: ShortCircuit]
  /// The names taken in the function.
  var names: OpenCLNames
  /// What was written so far of the innermost body.
  var statements: [OpenCLStatement] = []
  /// Declarations at the top, of variables and of values that several blocks use.
  var declarations: [OpenCLDeclaration] = []
  /// Where the pointers point.
  var pointers: [UInt32: Pointer] = [:]
  /// The block that is translated.
  var block: UInt32 = 0
  /// Whether this is the entry point.
  var isKernel = false
  /// The names of the function's own variables and parameters.
  var variableNames: [UInt32: String] = [:]
  /// The loops and switches that enclose what is translated, the innermost last.
  var frames: [ControlFrame] = []
  /// The number of bodies that enclose what is translated.
  var depth = 0

  private let uses: ValueUses
  private var values: [UInt32: OpenCLExpression] = [:]
  private var pending: [UInt32: Pending] = [:]
  private var order: [UInt32] = []

  var module: SPIRVModule { program.module }
  var types: OpenCLTypes { program.types }
  var refusal: OpenCLRefusal { program.refusal }

  /// A translator of `function`, with `names` taken at file scope.
  init(_ function: SPIRVModule.Function, of program: OpenCLTranslator, names: OpenCLNames) {
    let function = function.joiningMatrixSums(in: program.module)
    self.function = function
    self.program = program
    self.names = names
    blocks = Dictionary(function.blocks.map { ($0.label, $0) }) { first, _ in first }
    let found = ShortCircuit.all(in: function)
    circuits = Dictionary(found.map { ($0.header, $0) }) { first, _ in first }
    uses = ValueUses(function, shortCircuits: found)
  }

  /// The value of `id`.
  func value(_ id: UInt32) throws(DeviceError) -> OpenCLExpression {
    if let known = values[id] { return known }
    if var entry = pending[id] {
      entry.remainingUses -= 1
      pending[id] = entry.remainingUses > 0 ? entry : nil
      return entry.expression
    }
    if let constant = module.constants[id] {
      guard let value = program.constants[id] else {
        guard
          let opcode = constant.operands.first.flatMap({
            SPIRVOpcode(rawValue: UInt16(truncatingIfNeeded: $0))
          })
        else { throw refusal.unsupported(constant) }
        throw refusal.unsupported(
          "\(opcode.specificationName) on specialization constants",
          "Compute the constant where the kernel is made.")
      }
      return try program.literal(value, type: constant.type)
    }
    throw refusal.unsupported(
      "the value of id \(id)", "This is not the SPIR-V that glslang writes; report the kernel.")
  }

  /// Makes `expression` the value of parameter `id`.
  func bind(_ id: UInt32, _ expression: OpenCLExpression) { values[id] = expression }

  /// The value of `id` as a name or literal, so that it can be written more than once.
  func reference(_ id: UInt32) throws(DeviceError) -> OpenCLExpression {
    let expression = try value(id)
    return try reference(expression, wish: module.names[id] ?? "t")
  }

  /// `expression` as a name or literal, so that it can be written more than once.
  func reference(_ expression: OpenCLExpression, wish: String = "t") throws(DeviceError) -> OpenCLExpression {
    guard expression.isComplex, let type = expression.type else { return expression }
    let name = names.unique(wish)
    if type.kind == .float, type.width == 64 { types.noteDouble() }
    statements.append(.declaration("const \(type.name) \(name) = \(expression.text)"))
    return OpenCLExpression(name, type)
  }

  /// Makes `expression` the result of `instruction`.
  func define(_ instruction: SPIRVInstruction, _ expression: OpenCLExpression) throws(DeviceError) {
    let id = instruction.result
    let count = uses.count(id)
    guard count > 0 else { return }
    if uses.leaves(block, id) {
      try declare(id, type: instruction.type, as: expression)
    } else if count == 1 || !expression.isComplex {
      pending[id] = Pending(expression: expression, type: instruction.type, remainingUses: count)
      order.append(id)
    } else {
      try writeDown(id, Pending(expression: expression, type: instruction.type, remainingUses: count))
    }
  }

  /// Makes `expression`, which has effects, the result of `instruction`, here and now.
  func perform(_ instruction: SPIRVInstruction, _ expression: OpenCLExpression) throws(DeviceError) {
    let id = instruction.result
    if uses.count(id) == 0 {
      statements.append(.expression(expression.text))
    } else if uses.leaves(block, id) {
      try declare(id, type: instruction.type, as: expression)
    } else {
      try writeDown(id, Pending(expression: expression, type: instruction.type, remainingUses: 1))
    }
  }

  /// Makes a variable that `instruction`'s result is built up in, starting from `initial`, and gives its name.
  func build(_ instruction: SPIRVInstruction, from initial: OpenCLExpression?) throws(DeviceError) -> String {
    let name = names.unique(module.names[instruction.result] ?? "t")
    let type = try types.name(instruction.type)
    if uses.leaves(block, instruction.result) {
      declarations.append(OpenCLDeclaration(type: type, name: name))
      if let initial { statements.append(.expression("\(name) = \(initial.text)")) }
    } else {
      statements.append(.declaration("\(type) \(name)" + (initial.map { " = \($0.text)" } ?? "")))
    }
    values[instruction.result] = OpenCLExpression(name, module.numeric(instruction.type))
    return name
  }

  /// Writes down every value that reads a part of memory for which `isWritten` holds, before that changes.
  func settle(where isWritten: (OpenCLExpression.Region) -> Bool) throws(DeviceError) {
    for id in order {
      guard let entry = pending[id], entry.expression.regions.contains(where: isWritten) else { continue }
      pending[id] = nil
      try writeDown(id, entry)
    }
    order.removeAll { pending[$0] == nil }
  }

  /// Makes the value of phi `instruction` a variable at the top of the function, and gives its name.
  func phiVariable(_ instruction: SPIRVInstruction) throws(DeviceError) -> String {
    if let known = values[instruction.result] { return known.text }
    let name = names.unique(module.names[instruction.result] ?? "phi")
    declarations.append(OpenCLDeclaration(type: try types.name(instruction.type), name: name))
    values[instruction.result] = OpenCLExpression(name, module.numeric(instruction.type))
    return name
  }

  /// Whether `id` has a value already, as the phi of a short-circuit operator has.
  func isDefined(_ id: UInt32) -> Bool { values[id] != nil || pending[id] != nil || uses.count(id) == 0 }

  private func writeDown(_ id: UInt32, _ entry: Pending) throws(DeviceError) {
    let name = names.unique(module.names[id] ?? "t")
    statements.append(.declaration("const \(try types.name(entry.type)) \(name) = \(entry.expression.text)"))
    values[id] = OpenCLExpression(name, entry.expression.type)
  }

  private func declare(_ id: UInt32, type: UInt32, as expression: OpenCLExpression) throws(DeviceError) {
    let name = names.unique(module.names[id] ?? "t")
    declarations.append(OpenCLDeclaration(type: try types.name(type), name: name))
    statements.append(.expression("\(name) = \(expression.text)"))
    values[id] = OpenCLExpression(name, expression.type)
  }
}

extension OpenCLExpression {
  /// Whether writing it twice would be more than naming something twice.
  var isComplex: Bool {
    !(precedence == .atom
      && text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.isNameOrNumber })
  }
}

extension Unicode.Scalar {
  /// Whether names and numbers are made of it.
  fileprivate var isNameOrNumber: Bool { ("0"..."9").contains(self) || self == "_" || self == "." }
}
