import HeklaDevices

extension ShaderCompiler {
  /// `source` as OpenCL C 1.2, its specialization constants baked in.
  ///
  /// - Throws: `DeviceError.compilation` as `compile` does; `.unsupported` for what OpenCL C 1.2 cannot say,
  ///   naming the instruction or capability.
  public func openCLProgram(for source: GLSLSource) throws(DeviceError) -> OpenCLProgram {
    let parsed = try parsedModule(for: source)
    let module = try ShaderModule(parsed.module, words: parsed.words, source: source, digest: parsed.digest)
    let translator = try OpenCLTranslator(parsed.module, source: source)
    let text = try translator.translate()
    return OpenCLProgram(
      text: text, entryPoint: translator.entryPoint, bindings: module.bindings,
      pushConstantByteCount: module.pushConstantByteCount, workgroupSize: module.workgroupSize,
      sharedMemoryByteCount: translator.localByteCount)
  }
}
