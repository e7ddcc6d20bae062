import COpenCL
import HeklaDevices
import HeklaShaderCompiler

/// A kernel built by an OpenCL driver.
public final class OpenCLKernel: Kernel {
  /// What the kernel was made from.
  public let source: KernelSource
  let context: OpenCLContext
  /// The kernel's text and the arguments it takes.
  let program: OpenCLProgram
  private let build: OpenCLReference

  /// Builds `program`, made from `source`, with `builder`.
  init(
    _ program: OpenCLProgram, source: GLSLSource, in context: OpenCLContext, builder: OpenCLProgramBuilder
  ) throws(DeviceError) {
    try Self.checkLimits(of: program, name: source.name, in: context)
    try context.checkPresence()
    self.source = .glsl(source)
    self.program = program
    self.context = context
    build = try builder.build(program, name: source.name)
    try checkWorkgroupSize(name: source.name)
  }

  /// A kernel object of its own, whose arguments can be set.
  func makeInstance() throws(DeviceError) -> OpenCLReference {
    var status = cl_int(CL_SUCCESS)
    let handle = context.api.clCreateKernel(build.handle, program.entryPoint, &status)
    return try context.reference(
      handle, status, "clCreateKernel", for: "kernel '\(source.name)'", release: context.api.clReleaseKernel,
      origin: self)
  }

  private static func checkLimits(
    of program: OpenCLProgram, name: String, in context: OpenCLContext
  ) throws(DeviceError) {
    let capabilities = context.capabilities
    let size = program.workgroupSize
    let limits = [
      ("workgroup size along x", size.x, capabilities.maxWorkgroupSize[0]),
      ("workgroup size along y", size.y, capabilities.maxWorkgroupSize[1]),
      ("workgroup size along z", size.z, capabilities.maxWorkgroupSize[2]),
      ("workgroup size", size.count, capabilities.maxWorkgroupInvocations),
      ("shared memory in bytes", program.sharedMemoryByteCount, capabilities.sharedMemoryByteCount),
      ("push constant block in bytes", program.pushConstantByteCount, capabilities.maxPushConstantByteCount),
      ("number of storage buffers", program.bindings.count, capabilities.maxBindingCount),
    ]
    for (limit, requested, allowed) in limits where requested > allowed {
      throw .limitExceeded(
        device: context.name, limit: limit, requested: requested, allowed: allowed,
        remedy: "Kernel '\(name)' needs a variant for this device.")
    }
  }

  /// Checks what only the driver knows: how many invocations the kernel's registers leave room for.
  private func checkWorkgroupSize(name: String) throws(DeviceError) {
    var allowed = 0
    let instance = try makeInstance()
    let status = context.api.clGetKernelWorkGroupInfo(
      instance.handle, context.query.device, cl_kernel_work_group_info(CL_KERNEL_WORK_GROUP_SIZE),
      MemoryLayout<Int>.size, &allowed, nil)
    try context.check(status, "clGetKernelWorkGroupInfo", for: "kernel '\(name)'")
    guard program.workgroupSize.count <= allowed else {
      throw .limitExceeded(
        device: context.name, limit: "workgroup size for kernel '\(name)'",
        requested: program.workgroupSize.count, allowed: allowed,
        remedy: "The kernel needs more registers than the device has for that; use a smaller workgroup.")
    }
  }
}
