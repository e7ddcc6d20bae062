import HeklaDevices

/// Where a pointer points: a variable and the way into it.
///
/// Pointers are kept as ids and written out at each use, as OpenCL C's pointers cannot say all that SPIR-V's
/// can.
struct Pointer {
  /// The variable or parameter.
  var variable: UInt32
  /// Where the variable lives.
  var storage: SPIRVStorageClass
  /// The type of the variable.
  var variableType: UInt32
  /// The ids of the indices, from the outside in.
  var steps: [UInt32] = []
  /// The type of what is pointed to.
  var type: UInt32
}

extension FunctionTranslator {
  /// An expression that can be stored to.
  struct Place {
    var expression: OpenCLExpression
    /// Whether this is a component of a vector of truth values, which is kept as an `int`.
    var isTruthComponent = false
  }

  /// The pointer `id`: a variable, a parameter or the result of an access chain.
  func pointer(_ id: UInt32) throws(DeviceError) -> Pointer {
    if let known = pointers[id] { return known }
    if let variable = module.variables.first(where: { $0.result == id }),
      let (storage, type) = module.pointer(variable.type)
    {
      return Pointer(variable: id, storage: storage, variableType: type, type: type)
    }
    throw refusal.unsupported("a pointer that is no variable (id \(id))", "Use arrays and indices.")
  }

  /// Extends a pointer by an access chain.
  func translateAccessChain(_ instruction: SPIRVInstruction) throws(DeviceError) {
    var base = try pointer(instruction.operands[0])
    base.steps += instruction.operands.dropFirst()
    base.type = module.pointer(instruction.type)?.pointee ?? 0
    pointers[instruction.result] = base
  }

  /// The value that `instruction` loads.
  func translateLoad(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let source = try pointer(instruction.operands[0])
    switch source.storage {
    case .storageBuffer, .uniform:
      try define(instruction, try loadBuffer(try address(source), type: instruction.type, isTop: true))
    case .pushConstant: try define(instruction, try loadPushConstant(source))
    case .input: try define(instruction, try loadBuiltIn(source))
    default:
      let place = try place(source)
      guard place.isTruthComponent else { return try define(instruction, place.expression) }
      let zero = OpenCLExpression("0", place.expression.type)
      try define(
        instruction,
        .binary("!=", .equality, place.expression, zero, type: NumericType(kind: .boolean, width: 1)))
    }
  }

  /// Stores `value` through pointer `target`.
  func store(_ value: OpenCLExpression, to target: Pointer) throws(DeviceError) {
    switch target.storage {
    case .storageBuffer, .uniform:
      let address = try address(target)
      try settle { $0 == .buffers }
      try storeBuffer(value, type: target.type, to: address)
    case .function, .private, .workgroup:
      let place = try place(target)
      let written = OpenCLExpression.Region.variable(target.variable)
      let text = place.isTruthComponent ? "\(value.text(atLeast: .logicalOr)) ? -1 : 0" : value.text
      try settle { $0 == written }
      statements.append(.expression("\(place.expression.text) = \(text)"))
    default:
      throw refusal.unsupported(
        "a store to read-only memory", "Store to buffers, shared memory and variables.")
    }
  }

  /// The place in a variable, as an expression that can be stored to.
  func place(_ pointer: Pointer) throws(DeviceError) -> Place {
    var text = program.rootText(pointer.variable, isKernel: isKernel, names: variableNames)
    var precedence = OpenCLExpression.Precedence.atom
    var regions: Set<OpenCLExpression.Region> = [.variable(pointer.variable)]
    var type = pointer.variableType
    var isTruthComponent = false
    var isPlainArray = pointer.storage == .workgroup
    if isPlainArray, pointer.steps.isEmpty, case .array? = module.types[type] {
      text = "*(__local \(try types.name(type)) *)\(text)"
      precedence = .prefix
    }
    for step in pointer.steps {
      switch module.types[type] {
      case .array(let element, _):
        let index = try value(step)
        regions.formUnion(index.regions)
        text = isPlainArray ? "\(text)[\(index.text)]" : Self.selecting(".e[\(index.text)]", of: text)
        type = element
      case .structure(let members):
        guard let index = program.constants.integer(step) else {
          throw refusal.unsupported("a computed member of a structure", "Index arrays, not structures.")
        }
        text = Self.selecting(".\(types.member(index, of: type))", of: text)
        type = members[index]
      case .vector(let component, _):
        isTruthComponent = module.numeric(component)?.kind == .boolean
        if let index = program.constants.integer(step), index < 4 {
          text += ".\(Self.components[index])"
        } else {
          let index = try value(step)
          regions.formUnion(index.regions)
          let space = pointer.storage == .workgroup ? "__local " : ""
          let name = isTruthComponent ? "int" : try types.name(component)
          text = "((\(space)\(name) *)&\(text))[\(index.text)]"
        }
        type = component
      case .matrix(let column, _):
        if let index = program.constants.integer(step), index < 4 {
          text += Self.column(Int(index))
        } else {
          let index = try value(step)
          regions.formUnion(index.regions)
          let space = pointer.storage == .workgroup ? "__local " : ""
          text = "((\(space)\(try types.name(column)) *)&\(text))[\(index.text)]"
        }
        type = column
      default: throw refusal.unsupported("an index into this type", "Use arrays, structures and vectors.")
      }
      precedence = .postfix
      isPlainArray = false
    }
    // A parameter as a whole needs no parentheses of its own.
    if pointer.steps.isEmpty, text.hasPrefix("(*") {
      text = String(text.dropFirst().dropLast())
      precedence = .prefix
    }
    let numeric = isTruthComponent ? NumericType(kind: .signed, width: 32) : module.numeric(type)
    return Place(
      expression: OpenCLExpression(text, numeric, precedence: precedence, regions: regions),
      isTruthComponent: isTruthComponent)
  }

  /// `text.member`, written `name->member` for a parameter.
  private static func selecting(_ member: String, of text: String) -> String {
    let isParameter = text.hasPrefix("(*") && text.firstIndex(of: ")") == text.index(before: text.endIndex)
    return isParameter ? "\(text.dropFirst(2).dropLast())->\(member.dropFirst())" : text + member
  }

  /// The names of a vector's components.
  static let components = ["x", "y", "z", "w"]

  /// The text that selects column `index` of a matrix, four components of a long vector.
  static func column(_ index: Int) -> String {
    ".s" + (4 * index..<4 * index + 4).map { String($0, radix: 16) }.joined()
  }

  /// The word or words of the push constant block at `pointer`.
  private func loadPushConstant(_ pointer: Pointer) throws(DeviceError) -> OpenCLExpression {
    let place = try offset(of: pointer)
    guard let numeric = module.numeric(place.type), !module.isMatrix(place.type), numeric.width >= 32,
      place.constant.isMultiple(of: 4), place.terms.allSatisfy({ $0.stride.isMultiple(of: 4) })
    else {
      throw refusal.unsupported(
        "a push constant that is no 32-bit or 64-bit number", "Make the push constant block of 32-bit words.")
    }
    var regions: Set<OpenCLExpression.Region> = []
    let terms = place.terms.map { term -> String in
      regions.formUnion(term.index.regions)
      return term.stride == 4
        ? term.index.text(atLeast: .sum) : "\(term.index.text(atLeast: .product)) * \(term.stride / 4)"
    }
    func word(_ number: Int) -> OpenCLExpression {
      let index = place.constant / 4 + number
      let parts = terms + (index > 0 || terms.isEmpty ? ["\(index)"] : [])
      return OpenCLExpression(
        "push.word[\(parts.joined(separator: " + "))]", NumericType(kind: .unsigned, width: 32),
        precedence: .postfix,
        regions: regions)
    }
    let parts = (0..<numeric.count).map { component -> OpenCLExpression in
      guard numeric.width == 64 else { return word(component).reinterpreted(as: numeric.scalar) }
      let both = NumericType(kind: .unsigned, width: 32, count: 2)
      let pair = OpenCLExpression(
        "(uint2)(\(word(2 * component).text), \(word(2 * component + 1).text))", both, precedence: .prefix,
        regions: regions)
      return pair.reinterpreted(as: numeric.scalar)
    }
    if numeric.width == 64, numeric.kind == .float { types.noteDouble() }
    return parts.count == 1 ? parts[0] : construct(numeric, parts)
  }

  /// A built-in variable, whole or one component.
  private func loadBuiltIn(_ pointer: Pointer) throws(DeviceError) -> OpenCLExpression {
    let unsigned = NumericType(kind: .unsigned, width: 32)
    let size = program.workgroupSize
    let function: String
    switch module.builtIn(of: pointer.variable).flatMap(SPIRVBuiltIn.init(rawValue:)) {
    case .globalInvocationID: function = "get_global_id"
    case .localInvocationID: function = "get_local_id"
    case .workgroupID: function = "get_group_id"
    case .workgroupCount: function = "get_num_groups"
    case .workgroupSize: function = "get_local_size"
    case .localInvocationIndex:
      var parts = size.x > 1 ? ["get_local_id(0)"] : []
      if size.y > 1 { parts.append("get_local_id(1) * \(size.x)") }
      if size.z > 1 { parts.append("get_local_id(2) * \(size.x * size.y)") }
      let sum = parts.joined(separator: " + ")
      return parts.isEmpty
        ? OpenCLExpression("0u", unsigned)
        : OpenCLExpression(
          parts == ["get_local_id(0)"] ? "(uint)\(sum)" : "(uint)(\(sum))", unsigned, precedence: .prefix)
    case nil:
      throw refusal.unsupported(
        "the built-in variable \(module.names[pointer.variable] ?? "number \(pointer.variable)")",
        "Give this device a variant of the kernel without subgroups.")
    }
    if let step = pointer.steps.first {
      let index = try value(step)
      let text = program.constants.integer(step).map(String.init) ?? index.text
      return OpenCLExpression(
        "(uint)\(function)(\(text))", unsigned, precedence: .prefix, regions: index.regions)
    }
    return construct(
      NumericType(kind: .unsigned, width: 32, count: 3),
      (0..<3).map { OpenCLExpression("(uint)\(function)(\($0))", unsigned, precedence: .prefix) })
  }
}
