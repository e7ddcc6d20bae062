import HeklaDevices

/// A SPIR-V module read into tables (SPIR-V 1.3, section 2.4: the logical layout of a module).
///
/// Instructions this module does not know are kept by number, so that every shader can be reflected, also
/// one that cannot be translated.
struct SPIRVModule {
  /// A function: its parameters and its blocks in the order of the module, the entry first.
  struct Function {
    var id: UInt32
    var resultType: UInt32
    var parameters: [SPIRVInstruction] = []
    var blocks: [Block] = []
  }

  /// A basic block: what runs, how it ends, and what structure it heads.
  struct Block {
    var label: UInt32
    var instructions: [SPIRVInstruction] = []
    /// `OpSelectionMerge` or `OpLoopMerge`, when the block heads a construct.
    var merge: SPIRVInstruction?
    /// The branch, return or kill.
    var terminator: SPIRVInstruction
  }

  /// The capabilities the module declares, by number.
  private(set) var capabilities: [UInt32] = []
  /// The id of the GLSL.std.450 instruction set, or 0.
  private(set) var glslInstructionSet: UInt32 = 0
  /// The entry point's function.
  private(set) var entryPoint: UInt32 = 0
  /// The workgroup size of the `LocalSize` execution mode.
  private(set) var localSize: [UInt32] = [1, 1, 1]
  /// What people called the ids.
  private(set) var names: [UInt32: String] = [:]
  /// What people called the members of structures.
  private(set) var memberNames: [UInt32: [Int: String]] = [:]
  /// The types by id.
  private(set) var types: [UInt32: SPIRVType] = [:]
  /// The constants, with and without specialization, by id.
  private(set) var constants: [UInt32: SPIRVInstruction] = [:]
  /// The global variables in order.
  private(set) var variables: [SPIRVInstruction] = []
  /// The functions in order.
  private(set) var functions: [Function] = []

  private var decorations: [UInt32: [SPIRVDecoration: [UInt32]]] = [:]
  private var memberDecorations: [UInt32: [Int: [SPIRVDecoration: [UInt32]]]] = [:]

  /// Reads `words`.
  ///
  /// - Throws: `DeviceError.compilation` when they are no SPIR-V module, as a damaged file might not be.
  init(words: [UInt32], kernel: String) throws(DeviceError) {
    guard words.count > 5, words[0] == 0x0723_0203 else {
      throw DeviceError.compilation(kernel: kernel, log: "The words are not a SPIR-V module.")
    }
    var position = 5
    var block: Block?
    while position < words.count {
      let count = Int(words[position] >> 16)
      guard count > 0, position + count <= words.count else {
        throw DeviceError.compilation(
          kernel: kernel, log: "The SPIR-V module is cut off at word \(position).")
      }
      let instruction = SPIRVInstruction(
        code: UInt16(truncatingIfNeeded: words[position]), words: words[(position + 1)..<(position + count)])
      read(instruction, into: &block)
      position += count
    }
  }

  /// The arguments of `decoration` on `id`, or nil when it is not there.
  func decoration(_ decoration: SPIRVDecoration, of id: UInt32) -> [UInt32]? { decorations[id]?[decoration] }

  /// The arguments of `decoration` on member `member` of structure `id`, or nil when it is not there.
  func decoration(_ decoration: SPIRVDecoration, of id: UInt32, member: Int) -> [UInt32]? {
    memberDecorations[id]?[member]?[decoration]
  }

  /// The built-in that variable or constant `id` is, if any.
  func builtIn(of id: UInt32) -> UInt32? { decoration(.builtIn, of: id)?.first }

  /// The storage class and the pointee of pointer type `id`.
  func pointer(_ id: UInt32) -> (storage: SPIRVStorageClass, pointee: UInt32)? {
    guard case .pointer(let storage, let pointee)? = types[id] else { return nil }
    return (storage, pointee)
  }

  private mutating func read(_ instruction: SPIRVInstruction, into block: inout Block?) {
    let operands = instruction.operands
    guard let opcode = instruction.opcode else {
      if !readForeignType(instruction) { block?.instructions.append(instruction) }
      return
    }
    switch opcode {
    case .capability: capabilities.append(operands[0])
    case .extInstImport:
      if instruction.text(at: 0).text == "GLSL.std.450" { glslInstructionSet = instruction.result }
    case .entryPoint: entryPoint = operands[1]
    case .executionMode where operands[1] == 17: localSize = Array(operands[2..<5])
    case .name: names[operands[0]] = instruction.text(at: 1).text
    case .memberName: memberNames[operands[0], default: [:]][Int(operands[1])] = instruction.text(at: 2).text
    case .decorate:
      guard let decoration = SPIRVDecoration(rawValue: operands[1]) else { break }
      decorations[operands[0], default: [:]][decoration] = Array(operands[2...])
    case .memberDecorate:
      guard let decoration = SPIRVDecoration(rawValue: operands[2]) else { break }
      memberDecorations[operands[0], default: [:]][Int(operands[1]), default: [:]][decoration] =
        Array(operands[3...])
    case .constantTrue, .constantFalse, .constant, .constantComposite, .constantNull, .specConstantTrue,
      .specConstantFalse, .specConstant, .specConstantComposite, .specConstantOp:
      constants[instruction.result] = instruction
    case .undef where functions.isEmpty || block == nil:
      constants[instruction.result] = instruction
    case .variable where block == nil: variables.append(instruction)
    case .function: functions.append(Function(id: instruction.result, resultType: instruction.type))
    case .functionParameter: functions[functions.count - 1].parameters.append(instruction)
    case .functionEnd: block = nil
    case .label: block = Block(label: instruction.result, terminator: instruction)
    case .loopMerge, .selectionMerge: block?.merge = instruction
    case .branch, .branchConditional, .switch, .return, .returnValue, .kill, .unreachable:
      guard var ended = block else { break }
      ended.terminator = instruction
      functions[functions.count - 1].blocks.append(ended)
      block = nil
    case .line, .noLine, .nop: break
    default:
      if let type = SPIRVType(instruction) {
        types[instruction.result] = type
      } else {
        block?.instructions.append(instruction)
      }
    }
  }

  /// Keeps a type of an extension, which is an unknown instruction outside of functions.
  private mutating func readForeignType(_ instruction: SPIRVInstruction) -> Bool {
    guard functions.isEmpty, let id = instruction.operands.first else { return false }
    types[id] = .other(code: instruction.code)
    return true
  }
}

extension SPIRVType {
  /// The type that `instruction` declares, or nil when it declares none.
  init?(_ instruction: SPIRVInstruction) {
    let operands = instruction.operands
    switch instruction.opcode {
    case .typeVoid: self = .void
    case .typeBool: self = .bool
    case .typeInt: self = .integer(width: Int(operands[0]), isSigned: operands[1] != 0)
    case .typeFloat: self = .float(width: Int(operands[0]))
    case .typeVector: self = .vector(component: operands[0], count: Int(operands[1]))
    case .typeMatrix: self = .matrix(column: operands[0], count: Int(operands[1]))
    case .typeArray: self = .array(element: operands[0], length: operands[1])
    case .typeRuntimeArray: self = .runtimeArray(element: operands[0])
    case .typeStruct: self = .structure(members: operands)
    case .typePointer:
      guard let storage = SPIRVStorageClass(rawValue: operands[0]) else {
        self = .other(code: instruction.code)
        return
      }
      self = .pointer(storage, pointee: operands[1])
    case .typeFunction: self = .function(result: operands[0], parameters: Array(operands.dropFirst()))
    case .typeImage, .typeSampler, .typeSampledImage: self = .other(code: instruction.code)
    default: return nil
    }
  }
}
