import COpenCL
import HeklaDevices
import HeklaShaderCompiler

/// Makes driver programs from OpenCL C, and keeps the driver's binaries between runs.
struct OpenCLProgramBuilder: Sendable {
  /// What the driver's compiler is told: the language, and nothing that trades accuracy for speed.
  private static let options = "-cl-std=CL1.2"

  private let context: OpenCLContext
  private let binaries: DiskCache?

  /// A builder that keeps binaries in `cacheDirectory`, or nowhere.
  init(_ context: OpenCLContext, cacheDirectory: String?) {
    self.context = context
    binaries = cacheDirectory.map { DiskCache(directory: $0) }
  }

  /// The driver's program for `program`, called `name` in messages.
  ///
  /// - Throws: `DeviceError.compilation` with the driver's log.
  func build(_ program: OpenCLProgram, name: String) throws(DeviceError) -> OpenCLReference {
    guard let binaries else { return try buildText(of: program, name: name) }
    let entry = entryName(of: program)
    // A binary that the driver refuses (a processor of another kind behind the same name, say) is replaced.
    if let bytes = binaries.read(entry), let built = buildBinary(bytes) { return built }
    let built = try buildText(of: program, name: name)
    if let bytes = binary(of: built) { binaries.write(bytes, as: entry) }
    return built
  }

  /// The name of the cache entry: everything that the binary depends on.
  private func entryName(of program: OpenCLProgram) -> String {
    var hash = SHA256()
    for part in [program.digest, context.capabilities.uuid, context.capabilities.driver, Self.options] {
      hash.update(part)
    }
    return "\(hash.hexadecimal).clbin"
  }

  private func buildText(of program: OpenCLProgram, name: String) throws(DeviceError) -> OpenCLReference {
    var status = cl_int(CL_SUCCESS)
    let handle = program.text.withCString { text in
      var text: UnsafePointer<CChar>? = text
      return context.api.clCreateProgramWithSource(context.handle, 1, &text, nil, &status)
    }
    let made = try context.reference(
      handle, status, "clCreateProgramWithSource", for: "kernel '\(name)'",
      release: context.api.clReleaseProgram,
      origin: context)
    let built = build(made)
    if built == CL_BUILD_PROGRAM_FAILURE { throw .compilation(kernel: name, log: log(of: made)) }
    try context.check(built, "clBuildProgram", for: "kernel '\(name)'")
    return made
  }

  private func buildBinary(_ bytes: [UInt8]) -> OpenCLReference? {
    var (status, binaryStatus) = (cl_int(CL_SUCCESS), cl_int(CL_SUCCESS))
    var (device, byteCount): (cl_device_id?, Int) = (context.query.device, bytes.count)
    let handle = bytes.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      return context.api.clCreateProgramWithBinary(
        context.handle, 1, &device, &byteCount, &start, &binaryStatus, &status)
    }
    guard let handle else { return nil }
    let made = OpenCLReference(handle, release: context.api.clReleaseProgram, origin: context)
    guard status == CL_SUCCESS, binaryStatus == CL_SUCCESS, build(made) == CL_SUCCESS else { return nil }
    return made
  }

  private func build(_ program: OpenCLReference) -> cl_int {
    var device: cl_device_id? = context.query.device
    return context.api.clBuildProgram(program.handle, 1, &device, Self.options, nil, nil)
  }

  /// The driver's binary of a built program; nil where it keeps none.
  private func binary(of program: OpenCLReference) -> [UInt8]? {
    var byteCount = 0
    let size = MemoryLayout<Int>.size
    var status = context.api.clGetProgramInfo(
      program.handle, cl_program_info(CL_PROGRAM_BINARY_SIZES), size, &byteCount, nil)
    guard status == CL_SUCCESS, byteCount > 0 else { return nil }
    let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      var start = buffer.baseAddress
      status = context.api.clGetProgramInfo(
        program.handle, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout.size(ofValue: start), &start, nil)
      count = status == CL_SUCCESS ? byteCount : 0
    }
    return bytes.isEmpty ? nil : bytes
  }

  /// What the driver's compiler said.
  private func log(of program: OpenCLReference) -> String {
    OpenCLDeviceQuery.text {
      context.api.clGetProgramBuildInfo(
        program.handle, context.query.device, cl_program_build_info(CL_PROGRAM_BUILD_LOG), $0, $1, $2)
    }
  }
}
