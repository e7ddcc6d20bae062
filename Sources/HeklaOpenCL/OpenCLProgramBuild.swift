import COpenCL
import HeklaDevices

/// From OpenCL C to a program that kernels can be made from.
enum OpenCLProgramBuild {
  /// What the driver's compiler is told: the language, and nothing that trades accuracy for speed.
  static let options = "-cl-std=CL1.2"

  /// Builds `program`, called `name` in messages.
  static func program(
    _ program: OpenCLProgram, name: String, in context: OpenCLContext
  ) throws(DeviceError) -> OpenCLReference {
    var status = cl_int(CL_SUCCESS)
    let handle = program.text.withCString { text in
      var text: UnsafePointer<CChar>? = text
      return context.api.clCreateProgramWithSource(context.handle, 1, &text, nil, &status)
    }
    guard let handle, status == CL_SUCCESS else {
      try context.check(status, "clCreateProgramWithSource", for: "kernel '\(name)'")
      throw .driverFailure(device: context.name, call: "clCreateProgramWithSource", code: Int(status))
    }
    let reference = OpenCLReference(handle, release: context.api.clReleaseProgram, origin: context)
    let built = build(reference, in: context)
    if built == CL_BUILD_PROGRAM_FAILURE {
      throw .compilation(kernel: name, log: log(of: reference, in: context))
    }
    try context.check(built, "clBuildProgram", for: "kernel '\(name)'")
    return reference
  }

  private static func build(_ program: OpenCLReference, in context: OpenCLContext) -> cl_int {
    var device: cl_device_id? = context.query.device
    return context.api.clBuildProgram(program.handle, 1, &device, options, nil, nil)
  }

  /// What the driver's compiler said.
  private static func log(of program: OpenCLReference, in context: OpenCLContext) -> String {
    let parameter = cl_program_build_info(CL_PROGRAM_BUILD_LOG)
    let device = context.query.device
    var byteCount = 0
    var status = context.api.clGetProgramBuildInfo(program.handle, device, parameter, 0, nil, &byteCount)
    guard status == CL_SUCCESS, byteCount > 1 else { return "The driver gave no log." }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    status = context.api.clGetProgramBuildInfo(program.handle, device, parameter, byteCount, &bytes, nil)
    guard status == CL_SUCCESS else { return "The driver gave no log." }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
