import HeklaDevices

/// A shader compiled to SPIR-V, with what a device has to know to run it.
public struct ShaderModule: Sendable {
  /// The SPIR-V 1.3 module.
  public let words: [UInt32]
  /// The binding numbers of the buffers that the shader declares, in order.
  public let bindings: [Int]
  /// The binding numbers of those that it reads by texels of four floats (`samplerBuffer`); the rest are storage
  /// buffers.
  public let texelBindings: Set<Int>
  /// The size of the push constant block in bytes, a multiple of 4; 0 without one.
  public let pushConstantByteCount: Int
  /// The invocations in a workgroup, once specialized with the source's constants.
  public let workgroupSize: GroupCount
  /// Shared memory in bytes, once specialized with the source's constants.
  public let sharedMemoryByteCount: Int
  /// The ids of the specialization constants that the shader declares.
  public let specializationIDs: Set<UInt32>
  /// SHA-256 over text, includes, defines and compiler version, in hexadecimal.
  ///
  /// Specialization constants are no part of the SPIR-V, so they are none of this either.
  public let digest: String
}

/// A shader translated to OpenCL C 1.2, with its specialization constants baked in.
public struct OpenCLProgram: Sendable {
  /// The OpenCL C source: one kernel and what it needs.
  public let text: String
  /// The kernel's name.
  public let entryPoint: String
  /// The binding numbers of the storage buffers, in the order of the kernel's arguments.
  ///
  /// One pointer argument each; behind them, where `pushConstantByteCount` is not 0, one struct by value.
  public let bindings: [Int]
  /// The size of the by-value struct in bytes; 0 without one.
  public let pushConstantByteCount: Int
  /// The invocations in a workgroup, which the kernel requires.
  public let workgroupSize: GroupCount
  /// Local memory in bytes, which the kernel declares itself.
  public let sharedMemoryByteCount: Int
  /// SHA-256 over `text`, in hexadecimal.
  public let digest: String

  /// The program `text`; its digest follows.
  package init(
    text: String, entryPoint: String, bindings: [Int], pushConstantByteCount: Int, workgroupSize: GroupCount,
    sharedMemoryByteCount: Int
  ) {
    self.text = text
    self.entryPoint = entryPoint
    self.bindings = bindings
    self.pushConstantByteCount = pushConstantByteCount
    self.workgroupSize = workgroupSize
    self.sharedMemoryByteCount = sharedMemoryByteCount
    var hash = SHA256()
    hash.update(text)
    digest = hash.hexadecimal
  }
}
