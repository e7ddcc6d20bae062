import HeklaDevices

extension ShaderModule {
  /// What `module`, specialized with the source's constants, asks of a device.
  init(
    _ module: SPIRVModule, words: [UInt32], source: GLSLSource, digest: String
  ) throws(DeviceError) {
    let constants = SpecializedConstants(module, overrides: source.constants)
    let layout = SPIRVLayout(module: module, constants: constants)
    self.words = words
    self.digest = digest
    workgroupSize = module.workgroupSize(constants)
    specializationIDs = Set(
      module.constants.keys.compactMap { module.decoration(.specializationID, of: $0)?.first })
    var bindings: Set<Int> = []
    var texelBindings: Set<Int> = []
    var pushConstantByteCount = 0
    var sharedMemoryByteCount = 0
    for variable in module.variables {
      guard let (storage, pointee) = module.pointer(variable.type) else { continue }
      switch storage {
      case .storageBuffer:
        guard let binding = module.decoration(.binding, of: variable.result)?.first else { continue }
        bindings.insert(Int(binding))
      case .uniformConstant:
        guard let binding = module.decoration(.binding, of: variable.result)?.first else { continue }
        bindings.insert(Int(binding))
        texelBindings.insert(Int(binding))
      case .pushConstant: pushConstantByteCount = (layout.byteCount(of: pointee) + 3) / 4 * 4
      case .workgroup: sharedMemoryByteCount += layout.packedByteCount(of: pointee)
      default: break
      }
    }
    self.bindings = bindings.sorted()
    self.texelBindings = texelBindings
    self.pushConstantByteCount = pushConstantByteCount
    self.sharedMemoryByteCount = sharedMemoryByteCount
  }
}

extension SPIRVModule {
  /// The invocations in a workgroup: the constant that is the built-in `WorkgroupSize`, else `LocalSize`.
  func workgroupSize(_ constants: SpecializedConstants) -> GroupCount {
    for id in self.constants.keys where builtIn(of: id) == SPIRVBuiltIn.workgroupSize.rawValue {
      guard case .composite(let parts)? = constants[id], parts.count == 3 else { continue }
      let sizes = parts.map { Int($0.bits ?? 1) }
      return GroupCount(sizes[0], sizes[1], sizes[2])
    }
    return GroupCount(Int(localSize[0]), Int(localSize[1]), Int(localSize[2]))
  }
}
