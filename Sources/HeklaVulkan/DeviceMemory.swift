import CVulkan
import HeklaDevices
import Synchronization

/// The memory of a device, taken from the driver in blocks and handed out in slices.
///
/// Drivers allow few allocations and take long for each, so small buffers share blocks of 64 MiB; large ones
/// get a block of their own. Buffers count against a limit of our own, because software drivers promise memory
/// they do not have.
///
/// Unchecked Sendable: the mutable part, blocks included, is only touched under `state`.
final class DeviceMemory: @unchecked Sendable {
  /// The device whose memory this is.
  let context: DeviceContext
  /// The most bytes that buffers may take together.
  let limit: Int
  private let kind: MemoryKind
  private let state = Mutex(State())

  /// The size of a shared block; anything above half of it gets its own.
  static let blockByteCount = 64 << 20

  private struct State: @unchecked Sendable {
    var blocks: [MemoryBlock] = []
    var usedByteCount = 0
  }

  /// Memory on `context` of which buffers may take `limit` bytes, or all there is.
  init(_ context: DeviceContext, limit: Int?, kind: MemoryKind) {
    self.context = context
    self.limit = limit ?? context.capabilities.memoryByteCount
    self.kind = kind
  }

  /// The bytes that buffers take at the moment.
  var usedByteCount: Int { state.withLock { $0.usedByteCount } }

  /// The bytes that were taken from the driver.
  var reservedByteCount: Int { state.withLock { $0.blocks.reduce(0) { $0 + $1.byteCount } } }

  /// Takes a slice that satisfies `requirements`.
  ///
  /// - Throws: `DeviceError.outOfMemory` when the limit or the driver's memory is used up.
  func allocate(_ requirements: VkMemoryRequirements, purpose: String) throws(DeviceError) -> MemorySlice {
    let byteCount = Int(requirements.size)
    let alignment = Int(requirements.alignment)
    guard let type = context.physical.memory.type(kind, among: requirements.memoryTypeBits) else {
      throw .unsupported(
        device: context.name, feature: "buffers in memory that kernels can use",
        remedy: "The driver is broken; update it.")
    }
    let (block, offset) = try state.withLock { (state) throws(DeviceError) -> (MemoryBlock, Int) in
      guard byteCount <= limit - state.usedByteCount else {
        throw .outOfMemory(
          device: context.name, purpose: purpose, requestedByteCount: byteCount,
          availableByteCount: max(limit - state.usedByteCount, 0))
      }
      for block in state.blocks where block.type == type {
        if let offset = block.ranges.allocate(byteCount: byteCount, alignment: alignment) {
          state.usedByteCount += byteCount
          return (block, offset)
        }
      }
      let block = try makeBlock(byteCount: byteCount, type: type, in: &state, purpose: purpose)
      guard let offset = block.ranges.allocate(byteCount: byteCount, alignment: alignment) else {
        throw .driverFailure(device: context.name, call: "vkAllocateMemory", code: 0)
      }
      state.blocks.append(block)
      state.usedByteCount += byteCount
      return (block, offset)
    }
    return MemorySlice(pool: self, block: block, offset: offset, byteCount: byteCount)
  }

  /// Takes back a slice; of the blocks that are empty then, one is kept for the next buffer.
  fileprivate func release(_ block: MemoryBlock, offset: Int, byteCount: Int) {
    state.withLock { state in
      block.ranges.deallocate(offset: offset, byteCount: byteCount)
      state.usedByteCount -= byteCount
      guard block.ranges.isEmpty else { return }
      let isSpare =
        block.byteCount <= Self.blockByteCount
        && !state.blocks.contains { $0 !== block && $0.type == block.type && $0.ranges.isEmpty }
      if !isSpare { state.blocks.removeAll { $0 === block } }
    }
  }

  /// A new block that holds `byteCount` bytes, and more beside them if they are few.
  ///
  /// Where the driver has no room, empty blocks go back to it for a second try, with no more than is needed.
  private func makeBlock(
    byteCount: Int, type: Int, in state: inout State, purpose: String
  ) throws(DeviceError) -> MemoryBlock {
    let isShared = byteCount <= Self.blockByteCount / 2
    let generous = isShared ? max(byteCount, min(Self.blockByteCount, limit)) : byteCount
    let isMapped = kind != .device
    do throws(DeviceError) {
      return try MemoryBlock(context, byteCount: generous, type: type, isMapped: isMapped, purpose: purpose)
    } catch .outOfMemory {
      state.blocks.removeAll { $0.ranges.isEmpty }
      return try MemoryBlock(context, byteCount: byteCount, type: type, isMapped: isMapped, purpose: purpose)
    }
  }
}

/// A stretch of device memory; goes back to its pool at the end of its life.
///
/// Unchecked Sendable: nothing in it changes.
struct MemorySlice: ~Copyable, @unchecked Sendable {
  private let pool: DeviceMemory
  private let block: MemoryBlock
  /// Where the slice begins in `memory`.
  let offset: Int
  private let byteCount: Int

  fileprivate init(pool: DeviceMemory, block: MemoryBlock, offset: Int, byteCount: Int) {
    self.pool = pool
    self.block = block
    self.offset = offset
    self.byteCount = byteCount
  }

  deinit { pool.release(block, offset: offset, byteCount: byteCount) }

  /// The allocation that the slice lies in.
  var memory: VkDeviceMemory { block.handle }

  /// The slice in the process's own memory, or nil where the host cannot see it.
  var address: UnsafeMutableRawPointer? { block.address.map { $0 + offset } }

  /// Whether the host reads the memory through its caches; without, reading is many times slower than writing.
  var isCached: Bool { block.isCached }
}

/// One allocation of the driver's.
///
/// Unchecked Sendable: all but `ranges` never changes, and `ranges` belongs to the pool's lock.
final class MemoryBlock: @unchecked Sendable {
  /// The size in bytes.
  let byteCount: Int
  /// The index of the memory type.
  let type: Int
  /// The block in the process's own memory, or nil where the host cannot see it.
  let address: UnsafeMutableRawPointer?
  /// Whether the host reads the block through its caches.
  let isCached: Bool
  /// What of it is free.
  var ranges: RangeAllocator
  private let memory: OwnedHandle

  /// Takes `byteCount` bytes of memory type `type` from the driver; `isMapped` only where the host can see it.
  init(
    _ context: DeviceContext, byteCount: Int, type: Int, isMapped: Bool, purpose: String
  ) throws(DeviceError) {
    var information = VkMemoryAllocateInfo()
    information.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
    information.allocationSize = VkDeviceSize(byteCount)
    information.memoryTypeIndex = UInt32(type)
    let functions = context.functions
    var allocated: VkDeviceMemory?
    let result = functions.allocateMemory(context.handle, &information, nil, &allocated)
    if result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY {
      throw .outOfMemory(
        device: context.name, purpose: purpose, requestedByteCount: byteCount, availableByteCount: nil)
    }
    try context.check(result, "vkAllocateMemory")
    guard let allocated else { throw .driverFailure(device: context.name, call: "vkAllocateMemory", code: 0) }
    let memory = OwnedHandle(allocated, context: context, destroy: functions.freeMemory)
    var address: UnsafeMutableRawPointer?
    if isMapped {
      try context.check(
        functions.mapMemory(context.handle, allocated, 0, VkDeviceSize(byteCount), 0, &address), "vkMapMemory"
      )
    }
    self.byteCount = byteCount
    self.type = type
    self.address = address
    isCached =
      context.physical.memory.types[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue != 0
    self.memory = memory
    ranges = RangeAllocator(capacity: byteCount)
  }

  /// The allocation itself.
  var handle: VkDeviceMemory { memory.handle }
}

/// What memory is for.
enum MemoryKind: Sendable {
  /// Tensors on a device with its own memory: where kernels run fastest, seen by the host or not.
  case device
  /// Tensors on a device that shares the host's memory: seen by both, so that no copies are needed.
  case shared
  /// On the way between host and device: host memory, cached so that reading it is not slow.
  case staging
}

extension VkPhysicalDeviceMemoryProperties {
  /// Properties of memory that only features which are not enabled may use.
  private static var special: UInt32 {
    VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT.rawValue | VK_MEMORY_PROPERTY_PROTECTED_BIT.rawValue
      | VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD.rawValue
      | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD.rawValue | VK_MEMORY_PROPERTY_RDMA_CAPABLE_BIT_NV.rawValue
  }

  /// The best memory type of `kind` among those whose bits are set.
  func type(_ kind: MemoryKind, among bits: UInt32) -> Int? {
    let local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
    let visible =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
    let cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
    let wishes: [UInt32] =
      switch kind {
      case .device: [local, 0]
      case .shared: [local | visible | cached, local | visible, visible | cached, visible]
      case .staging: [visible | cached, visible]
      }
    let types = types
    for wish in wishes {
      let matching = types.indices.filter {
        bits & (1 << UInt32($0)) != 0 && types[$0].propertyFlags & (wish | Self.special) == wish
      }
      // Of device memory, the largest heap: a small one is a window that the host sees. Among equals the first,
      // which drivers put there because it is fastest.
      let size = { (index: Int) in kind == .device ? heaps[Int(types[index].heapIndex)].size : 0 }
      if let largest = matching.map(size).max() { return matching.first { size($0) == largest } }
    }
    return nil
  }
}
