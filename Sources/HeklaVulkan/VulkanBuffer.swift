import CVulkan
import HeklaDevices

/// A storage buffer in device memory.
///
/// Padded to a multiple of 16 bytes, so that a kernel may read the last word of an array of bytes.
///
/// Unchecked Sendable: the handles never change, and the memory is only touched in a queue's order.
public final class VulkanBuffer: Buffer, @unchecked Sendable {
  /// The size in bytes, as it was asked for.
  public let byteCount: Int
  /// The device that the buffer is of.
  let context: DeviceContext
  private let owned: OwnedHandle
  private let memory: MemorySlice

  /// What sizes are rounded up to.
  static let padding = 16

  /// Makes `byteCount` bytes of `pool`.
  init(in pool: DeviceMemory, byteCount: Int) throws(DeviceError) {
    let context = pool.context
    owned = try context.makeBufferHandle(byteCount: byteCount.roundedUp(toMultipleOf: Self.padding))
    var requirements = VkMemoryRequirements()
    context.functions.getBufferMemoryRequirements(context.handle, owned.handle, &requirements)
    memory = try pool.allocate(requirements, purpose: "a buffer of \(byteCount) bytes")
    self.byteCount = byteCount
    self.context = context
    try context.check(
      context.functions.bindBufferMemory(
        context.handle, owned.handle, memory.memory, VkDeviceSize(memory.offset)),
      "vkBindBufferMemory")
  }

  /// What Vulkan calls the buffer.
  var handle: VkBuffer { owned.handle }

  /// The contents in the process's own memory, or nil where they travel through a staging buffer.
  var address: UnsafeMutableRawPointer? { memory.address }

  /// Where to read `byteCount` bytes of the contents, or nil where a copy by the device is faster.
  func readAddress(for byteCount: Int) -> UnsafeMutableRawPointer? {
    memory.isCached || byteCount <= Self.largestUncachedRead ? memory.address : nil
  }

  /// Reading memory past the host's caches takes some 10 microseconds for this much, as submitting a copy does.
  private static let largestUncachedRead = 4096
}

/// Host memory that the device copies from and to.
///
/// Unchecked Sendable: the handles never change; a queue's lock orders the use of the memory.
final class StagingBuffer: @unchecked Sendable {
  /// The memory, as the host sees it.
  let address: UnsafeMutableRawPointer
  /// The size in bytes.
  let byteCount: Int
  private let owned: OwnedHandle
  private let block: MemoryBlock

  /// Takes `byteCount` bytes outside of the device's limit, since it is not device memory.
  init(_ context: DeviceContext, byteCount: Int) throws(DeviceError) {
    owned = try context.makeBufferHandle(byteCount: byteCount)
    var requirements = VkMemoryRequirements()
    context.functions.getBufferMemoryRequirements(context.handle, owned.handle, &requirements)
    guard let type = context.physical.memory.type(.staging, among: requirements.memoryTypeBits) else {
      throw .unsupported(
        device: context.name, feature: "host memory for copies", remedy: "The driver is broken; update it.")
    }
    block = try MemoryBlock(
      context, byteCount: Int(requirements.size), type: type, isMapped: true,
      purpose: "copies between host and device")
    guard let address = block.address else {
      throw .driverFailure(device: context.name, call: "vkMapMemory", code: 0)
    }
    self.address = address
    self.byteCount = byteCount
    try context.check(
      context.functions.bindBufferMemory(context.handle, owned.handle, block.handle, 0), "vkBindBufferMemory")
  }

  /// What Vulkan calls the buffer.
  var handle: VkBuffer { owned.handle }
}

extension DeviceContext {
  /// A buffer without memory, for kernels and copies both ways.
  fileprivate func makeBufferHandle(byteCount: Int) throws(DeviceError) -> OwnedHandle {
    var information = VkBufferCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
    information.size = VkDeviceSize(byteCount)
    information.usage =
      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue
      | VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT.rawValue
    information.sharingMode = VK_SHARING_MODE_EXCLUSIVE
    return try make("vkCreateBuffer", destroy: functions.destroyBuffer) {
      functions.createBuffer(handle, &information, nil, $0)
    }
  }
}
