import CVulkan
import HeklaDevices

/// Commands in command buffers, ready to be submitted any number of times.
///
/// Unchecked Sendable: nothing in it changes once it is made. A queue holds on to it while it runs, so its end
/// never meets work in flight.
public final class VulkanRecording: Recording, @unchecked Sendable {
  /// The number of dispatches, copies and fills.
  public let commandCount: Int
  /// The device that the recording is of.
  let context: DeviceContext
  /// The commands in order, for profiles.
  let steps: [RecordedStep]
  /// What to submit, in order.
  let commandBuffers: [VkCommandBuffer?]
  private let pool: CommandBuffers
  private let sets: DescriptorSets
  private let buffers: [VulkanBuffer]

  /// How many commands a command buffer takes at most.
  ///
  /// Each command buffer is a batch of its own, so that watchdogs, which time batches, see short ones, and the
  /// device can start on the first while the driver still prepares the last.
  static let commandBufferCapacity = 256

  /// Records `commands`, which were checked.
  init(_ commands: [CheckedCommand], on context: DeviceContext) throws(DeviceError) {
    self.context = context
    sets = try DescriptorSets(for: commands, on: context)
    pool = try CommandBuffers(context, areReused: false)
    let steps = commands.map { [sets] in RecordedStep($0, sets: sets) }
    self.steps = steps
    buffers = commands.flatMap(\.buffers)
    commandCount = commands.count { if case .barrier = $0 { false } else { true } }

    var commandBuffers: [VkCommandBuffer?] = []
    for start in stride(from: 0, to: max(steps.count, 1), by: Self.commandBufferCapacity) {
      let end = min(start + Self.commandBufferCapacity, steps.count)
      let buffer = try pool.make()
      try pool.record(buffer, usage: VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT) { encoder in
        if start == 0 { encoder.barrier() }
        for step in steps[start..<end] { encoder.encode(step) }
        if end == steps.count { encoder.hostBarrier() }
      }
      commandBuffers.append(buffer)
    }
    self.commandBuffers = commandBuffers
  }
}

/// A command of a recording in Vulkan's terms.
///
/// Unchecked Sendable: handles that never change, owned by the recording.
enum RecordedStep: @unchecked Sendable {
  case dispatch(Dispatch)
  case copy(VkBuffer, to: VkBuffer, VkBufferCopy)
  case fill(VkBuffer, offset: Int, byteCount: Int, word: UInt32)
  case barrier

  /// A run of a kernel; `set` is nil for a kernel without buffers.
  struct Dispatch {
    var kernel: VulkanKernel
    var set: VkDescriptorSet?
    var groupCount: GroupCount
    var pushConstants: [UInt32]
    var label: String
  }

  /// `command`, with its descriptor set looked up in `sets`.
  init(_ command: CheckedCommand, sets: DescriptorSets) {
    switch command {
    case .dispatch(let dispatch):
      self = .dispatch(
        Dispatch(
          kernel: dispatch.kernel, set: sets[dispatch.kernel.layout, dispatch.bindings],
          groupCount: dispatch.groupCount, pushConstants: dispatch.pushConstants, label: dispatch.label))
    case .copy(let source, let destination):
      let region = VkBufferCopy(
        srcOffset: VkDeviceSize(source.offset), dstOffset: VkDeviceSize(destination.offset),
        size: VkDeviceSize(source.byteCount))
      self = .copy(source.buffer.handle, to: destination.buffer.handle, region)
    case .fill(let slice, let word):
      self = .fill(slice.buffer.handle, offset: slice.offset, byteCount: slice.byteCount, word: word)
    case .barrier:
      self = .barrier
    }
  }

  /// What a profile calls the command; nil for a barrier, which it does not list.
  var label: String? {
    switch self {
    case .dispatch(let dispatch): dispatch.label
    case .copy: "copy"
    case .fill: "fill"
    case .barrier: nil
    }
  }
}

/// The descriptor sets of a recording, one for each distinct list of bindings.
///
/// Unchecked Sendable: nothing in it changes once it is made.
final class DescriptorSets: @unchecked Sendable {
  private struct Key: Hashable {
    var layout: ObjectIdentifier
    var bindings: [CheckedSlice]
  }

  private let sets: [Key: VkDescriptorSet]
  private let views: [TexelView]
  private let pool: OwnedHandle?

  /// Makes the sets that `commands` need.
  init(for commands: [CheckedCommand], on context: DeviceContext) throws(DeviceError) {
    var wanted: [(key: Key, layout: KernelLayout)] = []
    var known: Set<Key> = []
    for case .dispatch(let dispatch) in commands where !dispatch.bindings.isEmpty {
      let layout = dispatch.kernel.layout
      let key = Key(layout: ObjectIdentifier(layout), bindings: dispatch.bindings)
      if known.insert(key).inserted { wanted.append((key, layout)) }
    }
    guard !wanted.isEmpty else {
      sets = [:]
      views = []
      pool = nil
      return
    }
    let functions = context.functions
    let bindingCount = wanted.reduce(0) { $0 + $1.key.bindings.count }
    let texelCount = wanted.reduce(0) { $0 + $1.layout.key.texelBindings.count }
    let pool = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      let sizes = [
        VkDescriptorPoolSize(
          type: VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptorCount: UInt32(bindingCount - texelCount)),
        VkDescriptorPoolSize(
          type: VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, descriptorCount: UInt32(texelCount)),
      ].filter { $0.descriptorCount > 0 }
      var information = VkDescriptorPoolCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO
      information.maxSets = UInt32(wanted.count)
      information.poolSizeCount = UInt32(sizes.count)
      information.pPoolSizes = UnsafePointer(scratch.copy(sizes))
      return try context.make("vkCreateDescriptorPool", destroy: functions.destroyDescriptorPool) {
        functions.createDescriptorPool(context.handle, &information, nil, $0)
      }
    }
    var views: [TexelView] = []
    var handles = [VkDescriptorSet?](repeating: nil, count: wanted.count)
    try withScratch { (scratch) throws(DeviceError) in
      var information = VkDescriptorSetAllocateInfo()
      information.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO
      information.descriptorPool = pool.handle
      information.descriptorSetCount = UInt32(wanted.count)
      let layouts: [VkDescriptorSetLayout?] = wanted.map { $0.layout.setLayout }
      information.pSetLayouts = UnsafePointer(scratch.copy(layouts))
      try context.check(
        functions.allocateDescriptorSets(context.handle, &information, &handles), "vkAllocateDescriptorSets")
      var writes: [VkWriteDescriptorSet] = []
      for (handle, wish) in zip(handles, wanted) {
        for (index, slice) in wish.key.bindings.enumerated() {
          var write = VkWriteDescriptorSet()
          write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET
          write.dstSet = handle
          write.dstBinding = UInt32(index)
          write.descriptorCount = 1
          write.descriptorType = wish.layout.key.descriptorType(at: index)
          if wish.layout.key.texelBindings.contains(index) {
            let view = try TexelView(slice, on: context)
            views.append(view)
            let handle: VkBufferView? = view.handle
            write.pTexelBufferView = UnsafePointer(scratch.copy(handle))
          } else {
            write.pBufferInfo = UnsafePointer(
              scratch.copy(
                VkDescriptorBufferInfo(
                  buffer: slice.buffer.handle, offset: VkDeviceSize(slice.offset),
                  range: VkDeviceSize(slice.byteCount.roundedUp(toMultipleOf: 4)))))
          }
          writes.append(write)
        }
      }
      functions.updateDescriptorSets(context.handle, UInt32(writes.count), writes, 0, nil)
    }
    sets = Dictionary(
      uniqueKeysWithValues: zip(wanted, handles).compactMap { wish, handle in handle.map { (wish.key, $0) } })
    self.views = views
    self.pool = consume pool
  }

  /// The set for a kernel of `layout` with `bindings`; nil for a kernel without buffers.
  subscript(layout: KernelLayout, bindings: [CheckedSlice]) -> VkDescriptorSet? {
    sets[Key(layout: ObjectIdentifier(layout), bindings: bindings)]
  }
}
