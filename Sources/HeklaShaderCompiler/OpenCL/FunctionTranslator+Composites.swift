import HeklaDevices

extension FunctionTranslator {
  /// Translates an operation that takes values apart or puts them together; false when `instruction` is none.
  func translateComposite(_ instruction: SPIRVInstruction) throws(DeviceError) -> Bool {
    let operands = instruction.operands
    switch instruction.opcode {
    case .compositeConstruct:
      var parts: [OpenCLExpression] = []
      for id in operands { parts.append(try value(id)) }
      if let numeric = module.numeric(instruction.type) {
        try define(instruction, construct(numeric, parts))
      } else {
        try define(instruction, try aggregate(instruction.type, parts))
      }
    case .compositeExtract: try define(instruction, try extract(operands[0], path: operands.dropFirst()))
    case .compositeInsert:
      let object = try value(operands[0])
      let name = try build(instruction, from: try value(operands[1]))
      var text = name
      var type = instruction.type
      var isTruth = false
      for index in operands.dropFirst(2) {
        let step = try component(Int(index), of: type)
        text += step.text
        isTruth = step.isTruth
        type = step.type
      }
      statements.append(
        .expression("\(text) = \(isTruth ? "\(object.text(atLeast: .logicalOr)) ? -1 : 0" : object.text)"))
    case .vectorShuffle: try translateShuffle(instruction)
    case .vectorExtractDynamic:
      let vector = try reference(operands[0])
      let index = try value(operands[1])
      guard let type = vector.type else { return false }
      let isTruth = type.kind == .boolean
      let scalarName = isTruth ? "int" : type.scalar.name
      let name = vector.isNamed ? vector.text : try named(vector)
      let element = OpenCLExpression(
        "((const \(scalarName) *)&\(name))[\(index.text)]", type.scalar, precedence: .postfix,
        regions: index.regions)
      try define(instruction, isTruth ? element.isNonzero : element)
    case .vectorInsertDynamic:
      let object = try value(operands[1])
      let index = try value(operands[2])
      let name = try build(instruction, from: try value(operands[0]))
      guard let type = module.numeric(instruction.type) else { return false }
      let isTruth = type.kind == .boolean
      let text = isTruth ? "\(object.text(atLeast: .logicalOr)) ? -1 : 0" : object.text
      statements.append(
        .expression("((\(isTruth ? "int" : type.scalar.name) *)&\(name))[\(index.text)] = \(text)"))
    case .undef:
      try define(instruction, try program.zero(instruction.type))
    case .copyObject, .copyLogical:
      if let source = pointers[operands[0]] {
        pointers[instruction.result] = source
      } else {
        try define(instruction, try value(operands[0]))
      }
    case .uMulExtended, .sMulExtended, .iAddCarry, .iSubBorrow: try translateExtended(instruction)
    default: return false
    }
    return true
  }

  /// A vector of type `type` made of `parts`, which are scalars or vectors.
  func construct(_ type: NumericType, _ parts: [OpenCLExpression]) -> OpenCLExpression {
    let isTruth = type.kind == .boolean
    let texts = parts.map { part -> String in
      guard part.type?.count == 1 else { return part.text }
      return isTruth ? "\(part.text(atLeast: .logicalOr)) ? -1 : 0" : part.reinterpreted(as: type.scalar).text
    }
    let regions = parts.reduce(into: Set<OpenCLExpression.Region>()) { $0.formUnion($1.regions) }
    // A scalar in parentheses fills all components.
    let list = Set(texts).count == 1 && texts.count == type.count ? texts[0] : texts.joined(separator: ", ")
    return OpenCLExpression("(\(type.name))(\(list))", type, precedence: .prefix, regions: regions)
  }

  /// A structure or array of type `type` made of `parts`.
  func aggregate(_ type: UInt32, _ parts: [OpenCLExpression]) throws(DeviceError) -> OpenCLExpression {
    let isArray = if case .array? = module.types[type] { true } else { false }
    let list = parts.map(\.text).joined(separator: ", ")
    let regions = parts.reduce(into: Set<OpenCLExpression.Region>()) { $0.formUnion($1.regions) }
    return OpenCLExpression(
      "(\(try types.name(type)))\(isArray ? "{{\(list)}}" : "{\(list)}")", nil, precedence: .postfix,
      regions: regions)
  }

  private func extract(_ id: UInt32, path: ArraySlice<UInt32>) throws(DeviceError) -> OpenCLExpression {
    // Constants are taken apart here, for a compound literal with one index behind it is no pleasure to read.
    if module.constants[id] != nil, var constant = program.constants[id],
      var type = module.constants[id]?.type
    {
      for index in path {
        guard case .composite(let parts) = constant, parts.indices.contains(Int(index)) else { break }
        constant = parts[Int(index)]
        type = try component(Int(index), of: type).type
      }
      return try program.literal(constant, type: type)
    }
    let whole = try value(id)
    guard var type = typeID(of: id) else {
      throw refusal.unsupported("the value of id \(id)", "Report the kernel.")
    }
    var text = whole.text(atLeast: .postfix)
    var isTruth = false
    for index in path {
      let step = try component(Int(index), of: type)
      text += step.text
      isTruth = step.isTruth
      type = step.type
    }
    let part = OpenCLExpression(text, module.numeric(type), precedence: .postfix, regions: whole.regions)
    return isTruth ? part.isNonzero : part
  }

  /// The text that selects part `index` of a value of type `type`, and the part's type.
  private func component(
    _ index: Int, of type: UInt32
  ) throws(DeviceError) -> (text: String, type: UInt32, isTruth: Bool) {
    switch module.types[type] {
    case .vector(let component, _):
      return (".\(Self.components[index])", component, module.numeric(component)?.kind == .boolean)
    case .matrix(let column, _): return (Self.column(index), column, false)
    case .array(let element, _): return (".e[\(index)]", element, false)
    case .structure(let members): return (".\(types.member(index, of: type))", members[index], false)
    default: throw refusal.unsupported("a part of this type", "Use vectors, arrays and structures.")
    }
  }

  private func translateShuffle(_ instruction: SPIRVInstruction) throws(DeviceError) {
    let operands = instruction.operands
    guard let result = module.numeric(instruction.type) else { throw refusal.unsupported(instruction) }
    let indices = operands.dropFirst(2).map { $0 == .max ? 0 : Int($0) }
    let firstCount = typeID(of: operands[0]).flatMap(module.numeric)?.count ?? 4
    func swizzle(_ vector: OpenCLExpression, _ indices: [Int]) -> OpenCLExpression {
      OpenCLExpression(
        "\(vector.text(atLeast: .postfix)).\(indices.map { Self.components[$0] }.joined())", result,
        precedence: .postfix, regions: vector.regions)
    }
    if operands[0] == operands[1] || indices.allSatisfy({ $0 < firstCount }) {
      let vector = try value(operands[0])
      // The other operand is used up all the same.
      _ = try value(operands[1])
      return try define(instruction, swizzle(vector, indices.map { $0 % firstCount }))
    }
    let first = try reference(operands[0])
    let second = try reference(operands[1])
    if indices.allSatisfy({ $0 >= firstCount }) {
      return try define(instruction, swizzle(second, indices.map { $0 - firstCount }))
    }
    let parts = indices.map { index -> OpenCLExpression in
      let (vector, component) = index < firstCount ? (first, index) : (second, index - firstCount)
      let text = "\(vector.text(atLeast: .postfix)).\(Self.components[component])"
      return OpenCLExpression(text, result.scalar, precedence: .postfix, regions: vector.regions)
    }
    // Components of truth vectors are integers already.
    let list = parts.map(\.text).joined(separator: ", ")
    let regions = first.regions.union(second.regions)
    try define(
      instruction,
      OpenCLExpression("(\(result.name))(\(list))", result, precedence: .prefix, regions: regions))
  }

  /// Operations with two results, which come as a structure: the sum and the carry, or both halves of a product.
  private func translateExtended(_ instruction: SPIRVInstruction) throws(DeviceError) {
    guard case .structure(let members)? = module.types[instruction.type],
      let part = module.numeric(members[0])
    else { throw refusal.unsupported(instruction) }
    let type = instruction.opcode == .sMulExtended ? part.signed : part.unsigned
    let left = try reference(try value(instruction.operands[0]).reinterpreted(as: type))
    let right = try reference(try value(instruction.operands[1]).reinterpreted(as: type))
    let low: OpenCLExpression
    let high: OpenCLExpression
    func flag(_ comparison: OpenCLExpression) -> OpenCLExpression {
      guard type.count > 1 else { return converted(comparison, to: type) }
      return OpenCLExpression("as_\(type.name)(\(comparison.text)) & 1u", type, precedence: .and)
    }
    switch instruction.opcode {
    case .iAddCarry:
      low = try reference(.binary("+", .sum, left, right, type: type))
      high = flag(.binary("<", .relational, low, left, type: type.signed))
    case .iSubBorrow:
      low = .binary("-", .sum, left, right, type: type)
      high = flag(.binary("<", .relational, left, right, type: type.signed))
    default:
      let product = OpenCLExpression.binary(
        "*", .product, left.reinterpreted(as: type.unsigned), right.reinterpreted(as: type.unsigned),
        type: type.unsigned)
      low = product.reinterpreted(as: type)
      high = .call("mul_hi", [left, right], type: type)
    }
    try define(
      instruction,
      try aggregate(instruction.type, [low.reinterpreted(as: part), high.reinterpreted(as: part)]))
  }

  private func named(_ expression: OpenCLExpression) throws(DeviceError) -> String {
    let name = names.unique("t")
    statements.append(.declaration("const \(expression.type?.name ?? "int") \(name) = \(expression.text)"))
    return name
  }

  /// The type id of value `id`.
  func typeID(of id: UInt32) -> UInt32? {
    if let constant = module.constants[id] { return constant.type }
    return program.resultTypes[id]
  }
}

extension OpenCLExpression {
  /// Whether it is a name, which `&` can be taken of.
  var isNamed: Bool { !isComplex && text.first.map { $0.isLetter } ?? false }

  /// The component of a truth vector as a truth value.
  var isNonzero: Self {
    Self(
      "\(text(atLeast: .relational)) != 0", NumericType(kind: .boolean, width: 1), precedence: .equality,
      regions: regions)
  }
}
