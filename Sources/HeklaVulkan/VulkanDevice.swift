import CVulkan
import HeklaDevices
import HeklaShaderCompiler
import Synchronization

/// A device driven through Vulkan.
public final class VulkanDevice: Device {
  /// The name people select the device by, such as `vulkan:0`.
  public let name: String
  /// What the device can do.
  public let capabilities: Capabilities
  /// How the device was opened.
  let options: VulkanOptions
  /// The open device, shared with everything made on it.
  let context: DeviceContext
  /// Where buffers come from.
  let memory: DeviceMemory
  private let compiler: ShaderCompiler
  private let pipelineCache: PipelineCache
  private let cache = Mutex(Cache())

  private struct Cache: Sendable {
    var kernels: [GLSLSource: VulkanKernel] = [:]
    var layouts: [KernelLayout.Key: KernelLayout] = [:]
  }

  /// Opens the device at `index` of the instance's.
  init(at index: Int, of instance: VulkanInstance, options: VulkanOptions) throws(DeviceError) {
    name = "vulkan:\(index)"
    let physical = try instance.physicalDevices()
    guard physical.indices.contains(index) else {
      throw .unknownDevice(name: name, known: physical.indices.map { "vulkan:\($0)" })
    }
    let context = try DeviceContext(
      physical[index], name: name, replaceFunctions: options.replaceFunctions)
    self.options = options
    self.context = context
    capabilities = context.capabilities
    let sharesMemory =
      (capabilities.kind == .integratedGPU || capabilities.kind == .software) && !options.forcesStaging
    memory = DeviceMemory(context, limit: options.memoryLimit, kind: sharesMemory ? .shared : .device)
    compiler = ShaderCompiler(include: options.include, cacheDirectory: options.cacheDirectory)
    pipelineCache = try PipelineCache(context, directory: options.cacheDirectory)
  }

  /// Makes `byteCount` bytes of device memory; its contents are undefined.
  ///
  /// - Throws: `DeviceError.outOfMemory` or `.limitExceeded`, naming the bytes and the remedy.
  public func makeBuffer(byteCount: Int) throws(DeviceError) -> any Buffer {
    try context.checkAlive()
    guard byteCount >= 1 else {
      throw .invalidArgument(
        call: "makeBuffer", reason: "\(byteCount) bytes were asked for; a buffer has at least 1.")
    }
    guard byteCount <= capabilities.maxBufferByteCount else {
      throw .limitExceeded(
        device: name, limit: "buffer size in bytes", requested: byteCount,
        allowed: capabilities.maxBufferByteCount, remedy: "Split the array, or use a smaller batch.")
    }
    return try VulkanBuffer(in: memory, byteCount: byteCount)
  }

  /// Makes `source` ready to run; the same source gives a cached kernel.
  ///
  /// Threads compile at the same time; the lock is held for the look-up only.
  ///
  /// - Throws: `DeviceError.compilation` with file, line and log, `.unsupported` for what the device lacks,
  ///   `.limitExceeded` for what is too large for it, and `.invalidArgument` for a host kernel or for
  ///   constants that the shader does not declare.
  public func makeKernel(_ source: KernelSource) throws(DeviceError) -> any Kernel {
    try context.checkAlive()
    guard case .glsl(let shader) = source else {
      throw .invalidArgument(
        call: "makeKernel('\(source.name)')", reason: "The kernel is a host body; \(name) runs GLSL kernels.")
    }
    if let known = cache.withLock({ $0.kernels[shader] }) { return known }
    let module = try compiler.compile(shader)
    try check(module, of: shader)
    let layout = try layout(
      KernelLayout.Key(
        bindingCount: (module.bindings.max() ?? -1) + 1, texelBindings: module.texelBindings,
        pushConstantByteCount: module.pushConstantByteCount))
    let kernel = try VulkanKernel(
      context, source: shader, module: module, layout: layout, cache: pipelineCache.handle)
    pipelineCache.noteNewPipeline()
    return cache.withLock { cache in
      if let other = cache.kernels[shader] { return other }
      cache.kernels[shader] = kernel
      return kernel
    }
  }

  /// Makes a queue; work on one queue happens in order.
  public func makeQueue() throws(DeviceError) -> any Queue {
    try context.checkAlive()
    return try VulkanQueue(context, options: options)
  }

  /// Writes what the driver compiled to the cache folder, where there is one.
  func savePipelineCache() { pipelineCache.save() }

  private func layout(_ key: KernelLayout.Key) throws(DeviceError) -> KernelLayout {
    try cache.withLock { (cache) throws(DeviceError) -> KernelLayout in
      if let known = cache.layouts[key] { return known }
      let layout = try KernelLayout(context, key)
      cache.layouts[key] = layout
      return layout
    }
  }

  /// Refuses what the driver must not be given.
  private func check(_ module: ShaderModule, of source: GLSLSource) throws(DeviceError) {
    let undeclared = Set(source.constants.keys).subtracting(module.specializationIDs).sorted()
    guard undeclared.isEmpty else {
      let declared = module.specializationIDs.sorted().map(String.init).joined(separator: ", ")
      throw .invalidArgument(
        call: "makeKernel('\(source.name)')",
        reason:
          "The shader declares no constant_id \(undeclared.map(String.init).joined(separator: ", ")); it "
          + (declared.isEmpty ? "declares none." : "declares \(declared)."))
    }
    let missing = ShaderRequirements(words: module.words).missing(
      from: context.physical.features, capabilities)
    guard missing.isEmpty else {
      throw .unsupported(
        device: name, feature: "\(missing.joined(separator: ", ")), which kernel '\(source.name)' needs",
        remedy: "Choose a variant of the kernel that does without, or another device.")
    }
    let size = module.workgroupSize
    let kernel = "Kernel '\(source.name)' needs a variant for smaller devices."
    let limits: [(String, Int, Int)] =
      zip([("x", size.x), ("y", size.y), ("z", size.z)], capabilities.maxWorkgroupSize).map {
        ("workgroup size along \($0.0)", $0.1, $1)
      } + [
        ("number of invocations in a workgroup", size.count, capabilities.maxWorkgroupInvocations),
        ("shared memory size in bytes", module.sharedMemoryByteCount, capabilities.sharedMemoryByteCount),
        ("push constant size in bytes", module.pushConstantByteCount, capabilities.maxPushConstantByteCount),
        ("number of storage buffers", (module.bindings.max() ?? -1) + 1, capabilities.maxBindingCount),
      ]
    for (limit, requested, allowed) in limits where requested > allowed {
      throw .limitExceeded(device: name, limit: limit, requested: requested, allowed: allowed, remedy: kernel)
    }
  }
}

extension VulkanDevice {
  /// What the validation layer reported in this process, warnings and errors; empty where it is off.
  public var validationMessages: [String] { context.physical.instance.validation?.all ?? [] }
}
