import HeklaDevices

/// Translates a SPIR-V compute shader, as glslang writes it unoptimized, to OpenCL C 1.2.
///
/// The interface: one `__global` pointer per storage buffer binding, in the order of the binding numbers, then,
/// where there is a push constant block, one structure of 32-bit words by value. Shared memory is declared in the
/// kernel and passed to the functions that use it, as OpenCL C has no `__local` at file scope.
final class OpenCLTranslator {
  /// A binding, as the kernel's argument that it becomes.
  struct StorageBuffer {
    /// The binding number.
    var binding: Int
    /// The argument's name.
    var name: String
    /// What the buffer is an array of, where it is nothing but an array of scalars or small vectors.
    var element: NumericType?
    /// Whether the shader only reads it.
    var isReadOnly: Bool
    /// Whether several variables share the binding, so that its words are read as several types.
    var isAliased: Bool

    /// The address space and, for what is only read, `const`.
    var space: String { isReadOnly ? "__global const" : "__global" }
    /// The argument as a declaration.
    var declaration: String { "\(space) \(element?.name ?? "uchar") *\(name)" }
  }

  /// The version of the translation; part of cache keys.
  static let version = "opencl 2"

  let module: SPIRVModule
  let constants: SpecializedConstants
  let layout: SPIRVLayout
  let types: OpenCLTypes
  let refusal: OpenCLRefusal
  /// The number of invocations in a workgroup.
  let workgroupSize: GroupCount
  /// The storage buffers by variable.
  private(set) var buffers: [UInt32: StorageBuffer] = [:]
  /// The C names of the functions.
  private(set) var functionNames: [UInt32: String] = [:]
  /// The type of each value in a function.
  private(set) var resultTypes: [UInt32: UInt32] = [:]
  /// The name of the kernel.
  let entryPoint: String

  private var globalNames: [UInt32: String] = [:]
  private var captures: [UInt32: [UInt32]] = [:]
  private var support: [(name: String, text: String)] = []
  private var aliases: [String] = []
  private var pushConstantByteCount = 0

  /// A translator of `module`, specialized with the source's constants.
  init(_ module: SPIRVModule, source: GLSLSource) throws(DeviceError) {
    self.module = module
    constants = SpecializedConstants(module, overrides: source.constants)
    layout = SPIRVLayout(module: module, constants: constants)
    refusal = OpenCLRefusal(kernel: source.name)
    types = OpenCLTypes(module, layout: layout, refusal: refusal)
    workgroupSize = module.workgroupSize(constants)
    entryPoint = types.fileNames.unique(source.name)
    try refuseCapabilities()
    for name in ["push", "PushConstants", "word"] { _ = types.fileNames.unique(name) }
    for function in module.functions where function.id != module.entryPoint {
      functionNames[function.id] = types.fileNames.unique(module.names[function.id] ?? "function")
    }
    for function in module.functions {
      for instruction in function.parameters + function.blocks.flatMap(\.instructions) {
        resultTypes[instruction.result] = instruction.type
      }
    }
    nameGlobals()
    captures = capturedGlobals()
  }

  /// The translation.
  func translate() throws(DeviceError) -> String {
    var prototypes: [String] = []
    var bodies: [String] = []
    var kernel = ""
    for function in module.functions {
      let translator = FunctionTranslator(function, of: self, names: types.fileNames)
      translator.isKernel = function.id == module.entryPoint
      let text = try translator.translateFunction()
      if translator.isKernel {
        kernel = text.body
      } else {
        prototypes.append("\(text.head);")
        bodies.append(text.body)
      }
    }
    var sections = ["#pragma OPENCL FP_CONTRACT OFF"]
    if types.usesDouble { sections.append("#pragma OPENCL EXTENSION cl_khr_fp64 : enable") }
    if pushConstantByteCount > 0 {
      sections.append("typedef struct {\n  uint word[\(pushConstantByteCount / 4)];\n} PushConstants;")
    }
    sections += aliases + types.definitions + support.map(\.text)
    if !prototypes.isEmpty { sections.append(prototypes.joined(separator: "\n")) }
    return (sections + bodies + [kernel]).joined(separator: "\n\n") + "\n"
  }

  /// Bytes of local memory that the kernel declares.
  var localByteCount: Int {
    globals(.workgroup).reduce(0) { $0 + types.byteCount($1.type) }
  }

  /// The name of function `support` for operands of type `type`, which the program then brings along.
  func support(_ function: OpenCLSupport, for type: NumericType) -> String {
    let name = function.name(type)
    if !support.contains(where: { $0.name == name }) { support.append((name, function.definition(type))) }
    return name
  }

  /// A name for scalar type `type` that may lie where another type was stored.
  func aliased(_ type: NumericType) -> String {
    let name = "aliased_\(type.name)"
    let definition = "typedef \(type.name) __attribute__((may_alias)) \(name);"
    if !aliases.contains(definition) { aliases.append(definition) }
    return name
  }

  /// The text that names a variable in a function.
  func rootText(_ variable: UInt32, isKernel: Bool, names: [UInt32: String]) -> String {
    if let name = names[variable] { return name }
    let name = globalNames[variable] ?? "variable"
    guard !isKernel, !isArrayInSharedMemory(variable) else { return name }
    return "(*\(name))"
  }

  /// The arguments for the globals that `function` uses, written in a function or in the kernel.
  func captureArguments(of function: UInt32, isKernel: Bool) -> [String] {
    (captures[function] ?? []).map { id in
      let name = buffers[id]?.name ?? globalNames[id] ?? "push"
      let isPointer = buffers[id] != nil || isPushConstant(id) || isArrayInSharedMemory(id) || !isKernel
      return isPointer ? name : "&\(name)"
    }
  }

  /// The parameters for the globals that `function` uses.
  func captureParameters(of function: UInt32) throws(DeviceError) -> [String] {
    var parameters: [String] = []
    for id in captures[function] ?? [] {
      if let buffer = buffers[id] {
        parameters.append(buffer.declaration)
      } else if isPushConstant(id) {
        parameters.append("const PushConstants push")
      } else {
        parameters.append(try globalDeclaration(id, isParameter: true))
      }
    }
    return parameters
  }

  /// The kernel's parameters: buffers by binding, then push constants.
  var kernelParameters: [String] {
    var seen: Set<Int> = []
    let pointers = buffers.values.sorted { $0.binding < $1.binding }
      .filter { seen.insert($0.binding).inserted }.map(\.declaration)
    return pointers + (pushConstantByteCount > 0 ? ["const PushConstants push"] : [])
  }

  /// The declarations at the kernel's top: shared memory and the invocation's globals.
  func kernelDeclarations() throws(DeviceError) -> [String] {
    var lines: [String] = []
    for storage in [SPIRVStorageClass.workgroup, .private] {
      for global in globals(storage) {
        var line = try globalDeclaration(global.id, isParameter: false)
        if let initializer = module.variables.first(where: { $0.result == global.id })?.operands.dropFirst()
          .first,
          let value = constants[initializer]
        {
          line += " = \(try literal(value, type: global.type).text)"
        }
        lines.append(line)
      }
    }
    return lines
  }

  private func globals(_ wanted: SPIRVStorageClass) -> [(id: UInt32, type: UInt32)] {
    module.variables.compactMap { variable in
      module.pointer(variable.type).flatMap { $0.storage == wanted ? (variable.result, $0.pointee) : nil }
    }
  }

  private func isPushConstant(_ id: UInt32) -> Bool { globals(.pushConstant).contains { $0.id == id } }

  private func isArrayInSharedMemory(_ id: UInt32) -> Bool {
    globals(.workgroup).contains { global in
      if global.id == id, case .array? = module.types[global.type] { true } else { false }
    }
  }

  private func globalDeclaration(_ id: UInt32, isParameter: Bool) throws(DeviceError) -> String {
    guard let variable = module.variables.first(where: { $0.result == id }),
      let (storage, type) = module.pointer(variable.type)
    else { return "" }
    let space = storage == .workgroup ? "__local " : ""
    let name = globalNames[id] ?? ""
    if storage == .workgroup, case .array(let element, let length)? = module.types[type] {
      let elementName = try types.name(element)
      return isParameter
        ? "\(space)\(elementName) *\(name)" : "\(space)\(elementName) \(name)[\(layout.arrayLength(length))]"
    }
    return "\(space)\(try types.name(type)) \(isParameter ? "*" : "")\(name)"
  }

  private func nameGlobals() {
    var byBinding: [Int: [(id: UInt32, type: UInt32)]] = [:]
    for global in globals(.storageBuffer) {
      byBinding[Int(module.decoration(.binding, of: global.id)?.first ?? 0), default: []].append(global)
    }
    for (binding, sharers) in byBinding.sorted(by: { $0.key < $1.key }) {
      let elements = Set(sharers.map { element(of: $0.type) })
      let wish = sharers.compactMap { bufferName($0) }.first ?? "buffer\(binding)"
      let buffer = StorageBuffer(
        binding: binding, name: types.fileNames.unique(wish),
        element: elements.count == 1 ? elements.first ?? nil : nil,
        isReadOnly: sharers.allSatisfy { isReadOnly($0.type) }, isAliased: elements.count > 1)
      for sharer in sharers { buffers[sharer.id] = buffer }
    }
    for storage in [SPIRVStorageClass.workgroup, .private] {
      for global in globals(storage) {
        globalNames[global.id] = types.fileNames.unique(module.names[global.id] ?? "shared")
      }
    }
    for global in globals(.pushConstant) {
      pushConstantByteCount = (layout.byteCount(of: global.type) + 3) / 4 * 4
    }
  }

  /// What people call a buffer: its instance, else its only member, else its block.
  private func bufferName(_ global: (id: UInt32, type: UInt32)) -> String? {
    let member = module.memberNames[global.type].flatMap { $0.count == 1 ? $0[0] : nil }
    return [module.names[global.id], member, module.names[global.type]].compactMap { $0 }.first {
      !$0.isEmpty
    }
  }

  private func isReadOnly(_ type: UInt32) -> Bool {
    guard case .structure(let members)? = module.types[type] else { return false }
    return members.indices.allSatisfy { module.decoration(.nonWritable, of: type, member: $0) != nil }
  }

  /// What a block with one array in it is an array of, when the elements are packed as in C.
  private func element(of block: UInt32) -> NumericType? {
    guard case .structure(let members)? = module.types[block], members.count == 1 else { return nil }
    let element: UInt32
    switch module.types[members[0]] {
    case .runtimeArray(let type), .array(let type, _): element = type
    default: return nil
    }
    guard layout.offset(of: 0, in: block) == 0, let numeric = module.numeric(element), numeric.count != 3,
      layout.arrayStride(of: members[0]) == numeric.componentByteCount * numeric.count
    else { return nil }
    return numeric
  }

  /// The globals each function uses, itself or through the functions it calls.
  private func capturedGlobals() -> [UInt32: [UInt32]] {
    let storages: [SPIRVStorageClass] = [.storageBuffer, .pushConstant, .workgroup, .private]
    let all = storages.flatMap { globals($0).map(\.id) }
    var used: [UInt32: Set<UInt32>] = [:]
    var calls: [UInt32: Set<UInt32>] = [:]
    for function in module.functions {
      for instruction in function.blocks.flatMap(\.instructions) {
        if instruction.opcode == .functionCall {
          calls[function.id, default: []].insert(instruction.operands[0])
        }
        used[function.id, default: []].formUnion(instruction.operands)
      }
      used[function.id]?.formIntersection(all)
    }
    // GLSL has no recursion, so as many rounds as there are functions reach every callee.
    for _ in module.functions {
      for (caller, callees) in calls {
        for callee in callees { used[caller, default: []].formUnion(used[callee] ?? []) }
      }
    }
    return used.mapValues { ids in
      var bindings: Set<Int> = []
      // Variables of one binding are one argument.
      return all.filter { id in
        ids.contains(id) && (buffers[id].map { bindings.insert($0.binding).inserted } ?? true)
      }
    }
  }

  private func refuseCapabilities() throws(DeviceError) {
    for capability in module.capabilities where !Self.capabilities.contains(capability) {
      let name = Self.capabilityNames[capability] ?? "number \(capability)"
      throw refusal.unsupported(
        "the SPIR-V capability \(name)", "Give this device a variant of the kernel that does without it.")
    }
  }

  /// Shader, Matrix, Float16, Float64, Int64, Int16, Int8, and storage of 8 and 16 bits.
  private static let capabilities: Set<UInt32> = [
    1, 0, 9, 10, 11, 22, 39, 4433, 4434, 4435, 4436, 4448, 4449, 4450,
  ]

  private static let capabilityNames: [UInt32: String] = [
    12: "Int64Atomics", 61: "GroupNonUniform", 62: "GroupNonUniformVote", 63: "GroupNonUniformArithmetic",
    64: "GroupNonUniformBallot", 65: "GroupNonUniformShuffle", 66: "GroupNonUniformShuffleRelative",
    67: "GroupNonUniformClustered", 68: "GroupNonUniformQuad", 4423: "SubgroupBallotKHR",
    4431: "SubgroupVoteKHR", 5345: "VulkanMemoryModel", 5346: "VulkanMemoryModelDeviceScope",
    5347: "PhysicalStorageBufferAddresses", 5357: "CooperativeMatrixNV", 6022: "CooperativeMatrixKHR",
    6033: "AtomicFloat32AddEXT", 6034: "AtomicFloat64AddEXT", 5612: "AtomicFloat32MinMaxEXT",
    6016: "DotProduct",
  ]
}
