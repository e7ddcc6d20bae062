import COpenCL
import HeklaDevices
import HeklaShaderCompiler
import Synchronization

/// A device driven through OpenCL 1.2.
public final class OpenCLDevice: Device {
  let context: OpenCLContext
  private let budget: MemoryBudget
  private let compiler: ShaderCompiler
  private let builder: OpenCLProgramBuilder
  private let kernels = Mutex<[GLSLSource: KernelEntry]>([:])

  /// The device of `context`, used as `options` say.
  init(_ context: OpenCLContext, options: OpenCLOptions) {
    self.context = context
    budget = MemoryBudget(limit: options.memoryLimit ?? context.capabilities.memoryByteCount)
    compiler = ShaderCompiler(include: options.include, cacheDirectory: options.cacheDirectory)
    builder = OpenCLProgramBuilder(context, cacheDirectory: options.cacheDirectory)
  }

  /// The device's name, such as `opencl:0`.
  public var name: String { context.name }

  /// What the device can do.
  public var capabilities: Capabilities { context.capabilities }

  /// Makes `byteCount` bytes of device memory; its contents are undefined.
  public func makeBuffer(byteCount: Int) throws(DeviceError) -> any Buffer {
    try OpenCLBuffer(byteCount: byteCount, in: context, budget: budget)
  }

  /// Makes `source` ready to run; the same source gives the same kernel.
  public func makeKernel(_ source: KernelSource) throws(DeviceError) -> any Kernel {
    guard case .glsl(let shader) = source else {
      throw .unsupported(
        device: name, feature: "the host kernel '\(source.name)'", remedy: "Give the kernel as a GLSL shader."
      )
    }
    // One lock per kernel: different kernels compile at the same time, the same one only once.
    let entry = kernels.withLock { kernels in
      let entry = kernels[shader] ?? KernelEntry()
      kernels[shader] = entry
      return entry
    }
    return try entry.kernel.withLock { (kernel) throws(DeviceError) in
      if let kernel { return kernel }
      let program = try compiler.openCLProgram(for: shader)
      let made = try OpenCLKernel(program, source: shader, in: context, builder: builder)
      kernel = made
      return made
    }
  }

  /// Makes a queue; work on one queue happens in order.
  public func makeQueue() throws(DeviceError) -> any Queue { try OpenCLQueue(context) }

  /// The kernel of an OpenCL C program, called `name` in messages.
  func makeKernel(_ program: OpenCLProgram, name: String) throws(DeviceError) -> OpenCLKernel {
    let source = GLSLSource(name: name, text: program.text)
    return try OpenCLKernel(program, source: source, in: context, builder: builder)
  }

  /// The place of one kernel in the cache.
  private final class KernelEntry: Sendable {
    let kernel = Mutex<OpenCLKernel?>(nil)
  }
}
