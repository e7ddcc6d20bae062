import CVulkan
import HeklaDevices
import HeklaShaderCompiler

/// A compute pipeline.
///
/// Unchecked Sendable: the handles never change.
public final class VulkanKernel: Kernel, @unchecked Sendable {
  /// What the kernel was made from.
  public let source: KernelSource
  /// The number of invocations in a workgroup.
  public let workgroupSize: GroupCount
  /// The device that the kernel is of.
  let context: DeviceContext
  /// How it gets its arguments.
  let layout: KernelLayout
  private let owned: OwnedHandle

  /// Makes a pipeline from `module`, which was compiled from `source` and checked against the device.
  init(
    _ context: DeviceContext, source: GLSLSource, module: ShaderModule, layout: KernelLayout,
    cache: VkPipelineCache
  ) throws(DeviceError) {
    self.source = .glsl(source)
    self.context = context
    self.layout = layout
    workgroupSize = module.workgroupSize
    owned = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      let functions = context.functions
      let words = FloatControls.preservingSpecialValues(
        in: module.words, widths: context.physical.preservedFloatWidths)
      var shaderInformation = VkShaderModuleCreateInfo()
      shaderInformation.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
      shaderInformation.codeSize = words.count * MemoryLayout<UInt32>.stride
      shaderInformation.pCode = UnsafePointer(scratch.copy(words))
      let shader = try context.make("vkCreateShaderModule", destroy: functions.destroyShaderModule) {
        functions.createShaderModule(context.handle, &shaderInformation, nil, $0)
      }
      var stage = VkPipelineShaderStageCreateInfo()
      stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
      stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
      stage.module = shader.handle
      stage.pName = scratch.copy("main")
      stage.pSpecializationInfo = Self.specialization(source.constants, in: &scratch)
      if ShaderRequirements(words: module.words).usesSubgroups {
        context.fixSubgroups(of: &stage, workgroupSize: module.workgroupSize, in: &scratch)
      }
      var information = VkComputePipelineCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
      information.stage = stage
      information.layout = layout.pipelineLayout
      information.basePipelineIndex = -1
      var pipeline: VkPipeline?
      let result = functions.createComputePipelines(context.handle, cache, 1, &information, nil, &pipeline)
      try context.check(result, "vkCreateComputePipelines(\(source.name))")
      guard let pipeline else {
        throw .driverFailure(device: context.name, call: "vkCreateComputePipelines(\(source.name))", code: 0)
      }
      return OwnedHandle(pipeline, context: context, destroy: functions.destroyPipeline)
    }
  }

  /// What Vulkan calls the pipeline.
  var pipeline: VkPipeline { owned.handle }

  private static func specialization(
    _ constants: [UInt32: UInt32], in scratch: inout Scratch
  ) -> UnsafePointer<VkSpecializationInfo>? {
    guard !constants.isEmpty else { return nil }
    let sorted = constants.sorted { $0.key < $1.key }
    let wordByteCount = MemoryLayout<UInt32>.stride
    let entries = sorted.enumerated().map { index, constant in
      VkSpecializationMapEntry(
        constantID: constant.key, offset: UInt32(index * wordByteCount), size: wordByteCount)
    }
    var information = VkSpecializationInfo()
    information.mapEntryCount = UInt32(entries.count)
    information.pMapEntries = UnsafePointer(scratch.copy(entries))
    information.dataSize = entries.count * wordByteCount
    information.pData = UnsafeRawPointer(scratch.copy(sorted.map(\.value)))
    return UnsafePointer(scratch.copy(information))
  }
}

extension DeviceContext {
  /// Asks, where the driver lets us, for the subgroups that `Capabilities` promises: that size, and full.
  fileprivate func fixSubgroups(
    of stage: inout VkPipelineShaderStageCreateInfo, workgroupSize: GroupCount, in scratch: inout Scratch
  ) {
    guard let control = physical.subgroupControl else { return }
    let size = capabilities.subgroupSize
    guard workgroupSize.count <= size * control.maxSubgroupCount else { return }
    if control.canRequireSize, control.sizes.contains(size), control.sizes.count > 1 {
      var required = VkPipelineShaderStageRequiredSubgroupSizeCreateInfo()
      required.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO
      required.requiredSubgroupSize = UInt32(size)
      stage.pNext = UnsafeRawPointer(scratch.copy(required))
    }
    if control.canRequireFull, workgroupSize.x.isMultiple(of: size) {
      stage.flags |= VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT.rawValue
    }
  }
}
