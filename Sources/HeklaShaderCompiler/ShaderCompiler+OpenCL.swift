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
    let entry = "\(openCLKey(of: module, source: source)).cl"
    let text: String
    if let known = disk?.read(entry) {
      text = String(decoding: known, as: UTF8.self)
    } else {
      text = try translator.translate()
      disk?.write(Array(text.utf8), as: entry)
    }
    return OpenCLProgram(
      text: text, entryPoint: translator.entryPoint, bindings: module.bindings,
      pushConstantByteCount: module.pushConstantByteCount, workgroupSize: module.workgroupSize,
      sharedMemoryByteCount: translator.localByteCount)
  }

  /// What the translation depends on, as a digest.
  private func openCLKey(of module: ShaderModule, source: GLSLSource) -> String {
    var hash = SHA256()
    hash.update(OpenCLTranslator.version)
    hash.update(module.digest)
    hash.update(source.name)
    for (id, bits) in source.constants.sorted(by: { $0.key < $1.key }) { hash.update("\(id)=\(bits)") }
    return hash.hexadecimal
  }
}
