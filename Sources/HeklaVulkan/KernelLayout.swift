import CVulkan
import HeklaDevices

/// How kernels with one number of buffers and one size of push constants get their arguments.
///
/// Shared between kernels, so that descriptor sets and bindings carry over from one to the next.
///
/// Unchecked Sendable: the handles never change.
final class KernelLayout: @unchecked Sendable {
  /// What distinguishes layouts.
  struct Key: Hashable, Sendable {
    /// The number of buffers, at bindings from 0.
    var bindingCount: Int
    /// The bindings of those that are read by texels; the rest are storage buffers.
    var texelBindings: Set<Int> = []
    /// The size of the push constant block in bytes, a multiple of 4.
    var pushConstantByteCount: Int

    /// What Vulkan calls the kind of the buffer at binding `index`.
    func descriptorType(at index: Int) -> VkDescriptorType {
      texelBindings.contains(index)
        ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
    }
  }

  /// What distinguishes this layout.
  let key: Key
  private let sets: OwnedHandle
  private let pipelines: OwnedHandle

  /// Makes the layout on `context`.
  init(_ context: DeviceContext, _ key: Key) throws(DeviceError) {
    self.key = key
    let functions = context.functions
    sets = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      let bindings = (0..<key.bindingCount).map { index in
        var binding = VkDescriptorSetLayoutBinding()
        binding.binding = UInt32(index)
        binding.descriptorType = key.descriptorType(at: index)
        binding.descriptorCount = 1
        binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
        return binding
      }
      var information = VkDescriptorSetLayoutCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO
      information.bindingCount = UInt32(bindings.count)
      information.pBindings = UnsafePointer(scratch.copy(bindings))
      return try context.make("vkCreateDescriptorSetLayout", destroy: functions.destroyDescriptorSetLayout) {
        functions.createDescriptorSetLayout(context.handle, &information, nil, $0)
      }
    }
    let set: VkDescriptorSetLayout? = sets.handle
    pipelines = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      var range = VkPushConstantRange()
      range.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
      range.size = UInt32(key.pushConstantByteCount)
      var information = VkPipelineLayoutCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
      information.setLayoutCount = 1
      information.pSetLayouts = UnsafePointer(scratch.copy(set))
      information.pushConstantRangeCount = key.pushConstantByteCount > 0 ? 1 : 0
      information.pPushConstantRanges = UnsafePointer(scratch.copy(range))
      return try context.make("vkCreatePipelineLayout", destroy: functions.destroyPipelineLayout) {
        functions.createPipelineLayout(context.handle, &information, nil, $0)
      }
    }
  }

  /// The layout of the one descriptor set.
  var setLayout: VkDescriptorSetLayout { sets.handle }

  /// The layout that pipelines are made with.
  var pipelineLayout: VkPipelineLayout { pipelines.handle }
}
