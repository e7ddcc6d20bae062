import HeklaDevices

extension ShaderCompiler {
  /// `source` as OpenCL C 1.2, its specialization constants baked in.
  ///
  /// - Throws: `DeviceError.compilation` as `compile` does; `.unsupported` for what OpenCL C 1.2 cannot say,
  ///   naming the instruction or capability.
  public func openCLProgram(for source: GLSLSource) throws(DeviceError) -> OpenCLProgram {
    throw DeviceError.unsupported(
      device: "OpenCL", feature: "the kernel '\(source.name)'", remedy: "The translation is not written yet.")
  }
}
