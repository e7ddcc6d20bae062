import CVulkan
import HeklaDevices

/// A command pool and command buffers from it.
///
/// Unchecked Sendable: whoever records holds the only reference while recording; afterwards nothing changes.
final class CommandBuffers: @unchecked Sendable {
  private let context: DeviceContext
  private let pool: OwnedHandle

  /// A pool; `areReused` where buffers are recorded again one by one.
  init(_ context: DeviceContext, areReused: Bool) throws(DeviceError) {
    self.context = context
    var information = VkCommandPoolCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
    information.queueFamilyIndex = context.physical.queueFamily
    information.flags =
      areReused
      ? VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT.rawValue
        | VK_COMMAND_POOL_CREATE_TRANSIENT_BIT.rawValue : 0
    pool = try context.make("vkCreateCommandPool", destroy: context.functions.destroyCommandPool) {
      context.functions.createCommandPool(context.handle, &information, nil, $0)
    }
  }

  /// One more command buffer, freed with the pool.
  func make() throws(DeviceError) -> VkCommandBuffer {
    var information = VkCommandBufferAllocateInfo()
    information.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
    information.commandPool = pool.handle
    information.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
    information.commandBufferCount = 1
    var buffer: VkCommandBuffer?
    try context.check(
      context.functions.allocateCommandBuffers(context.handle, &information, &buffer),
      "vkAllocateCommandBuffers")
    guard let buffer else {
      throw .driverFailure(device: context.name, call: "vkAllocateCommandBuffers", code: 0)
    }
    return buffer
  }

  /// Fills `buffer` with what `body` encodes.
  func record(
    _ buffer: VkCommandBuffer, usage: VkCommandBufferUsageFlagBits,
    _ body: (inout CommandEncoder) -> Void
  ) throws(DeviceError) {
    var information = VkCommandBufferBeginInfo()
    information.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
    information.flags = usage.rawValue
    try context.check(context.functions.beginCommandBuffer(buffer, &information), "vkBeginCommandBuffer")
    var encoder = CommandEncoder(buffer, functions: context.functions)
    body(&encoder)
    try context.check(context.functions.endCommandBuffer(buffer), "vkEndCommandBuffer")
  }
}

/// Writes commands into one command buffer; binds again only what changes.
struct CommandEncoder {
  private let buffer: VkCommandBuffer
  private let functions: DeviceFunctions
  private var pipeline: VkPipeline?
  private var set: VkDescriptorSet?
  private var layout: VkPipelineLayout?

  /// Writes into `buffer`, which is being recorded.
  init(_ buffer: VkCommandBuffer, functions: DeviceFunctions) {
    self.buffer = buffer
    self.functions = functions
  }

  /// Encodes `step`.
  mutating func encode(_ step: RecordedStep) {
    switch step {
    case .dispatch(let dispatch): encode(dispatch)
    case .copy(let source, let destination, let region): copy(source, to: destination, region)
    case .fill(let buffer, let offset, let byteCount, let word):
      functions.cmdFillBuffer(self.buffer, buffer, VkDeviceSize(offset), VkDeviceSize(byteCount), word)
    case .barrier: barrier()
    }
  }

  private mutating func encode(_ dispatch: RecordedStep.Dispatch) {
    let kernel = dispatch.kernel
    let pipelineLayout = kernel.layout.pipelineLayout
    if pipeline != kernel.pipeline {
      functions.cmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline)
      pipeline = kernel.pipeline
    }
    if let wanted = dispatch.set, set != wanted || layout != pipelineLayout {
      var handle: VkDescriptorSet? = wanted
      functions.cmdBindDescriptorSets(
        buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipelineLayout, 0, 1, &handle, 0, nil)
      set = wanted
      layout = pipelineLayout
    }
    if !dispatch.pushConstants.isEmpty {
      functions.cmdPushConstants(
        buffer, pipelineLayout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0,
        UInt32(dispatch.pushConstants.count * MemoryLayout<UInt32>.stride), dispatch.pushConstants)
    }
    let groups = dispatch.groupCount
    functions.cmdDispatch(buffer, UInt32(groups.x), UInt32(groups.y), UInt32(groups.z))
  }

  /// Copies a region from `source` to `destination`.
  func copy(_ source: VkBuffer, to destination: VkBuffer, _ region: VkBufferCopy) {
    var region = region
    functions.cmdCopyBuffer(buffer, source, destination, 1, &region)
  }

  private static let workStages =
    VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue | VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue
  private static let writes = VK_ACCESS_SHADER_WRITE_BIT.rawValue | VK_ACCESS_TRANSFER_WRITE_BIT.rawValue
  private static let reads = VK_ACCESS_SHADER_READ_BIT.rawValue | VK_ACCESS_TRANSFER_READ_BIT.rawValue

  /// Lets kernels and copies after this see what those before it wrote.
  ///
  /// One global barrier: drivers treat lists of buffer barriers the same, only slower. It also reaches back
  /// into earlier submissions, as they are before it in the queue's order.
  func barrier() {
    barrier(to: Self.workStages, Self.reads | Self.writes)
  }

  /// Lets the host see what was written before this, once it knows that the submission has completed.
  func hostBarrier() {
    barrier(to: VK_PIPELINE_STAGE_HOST_BIT.rawValue, VK_ACCESS_HOST_READ_BIT.rawValue)
  }

  private func barrier(to stages: VkPipelineStageFlags, _ accesses: VkAccessFlags) {
    var memory = VkMemoryBarrier()
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
    memory.srcAccessMask = Self.writes
    memory.dstAccessMask = accesses
    functions.cmdPipelineBarrier(buffer, Self.workStages, stages, 0, 1, &memory, 0, nil, 0, nil)
  }

  /// Empties the first `count` queries of `pool`.
  func reset(_ pool: VkQueryPool, count: Int) {
    functions.cmdResetQueryPool(buffer, pool, 0, UInt32(count))
  }

  /// Stores the time at which everything before this has finished.
  func timestamp(_ pool: VkQueryPool, at index: Int) {
    functions.cmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, pool, UInt32(index))
  }
}
