import CVulkan
import HeklaDevices

/// Carries bytes between host and device through a ring of staging memory.
///
/// Chunks of a quarter of the ring overlap: while the device copies one, the host copies the next.
///
/// Unchecked Sendable: owned by a queue and only touched under that queue's lock.
final class Transfers: @unchecked Sendable {
  private let context: DeviceContext
  private let commands: CommandBuffers
  private var ring: StagingRing
  private var staging: StagingBuffer?
  private var free: [VkCommandBuffer] = []
  private var busy: [(buffer: VkCommandBuffer, number: UInt64)] = []

  /// Transfers on `context` through `capacity` bytes, which are taken when first needed.
  init(_ context: DeviceContext, capacity: Int) throws(DeviceError) {
    self.context = context
    commands = try CommandBuffers(context, areReused: true)
    ring = StagingRing(capacity: capacity)
  }

  /// How much can be on its way at one time.
  var capacity: Int { ring.capacity }

  /// How much one copy carries at most.
  var chunkByteCount: Int { ring.capacity / 4 }

  /// Copies `bytes` to `target` behind everything submitted; returns before they are there.
  func write(
    _ bytes: UnsafeRawBufferPointer, to target: CheckedSlice, _ state: inout VulkanQueue.State
  ) throws(DeviceError) {
    let staging = try stagingBuffer()
    for start in stride(from: 0, to: bytes.count, by: chunkByteCount) {
      let count = min(chunkByteCount, bytes.count - start)
      ring.release(upTo: state.timeline.completed)
      var offset = ring.reserve(byteCount: count, until: state.timeline.last + 1)
      while offset == nil, let oldest = ring.oldestSubmission {
        try state.timeline.wait(for: oldest)
        ring.release(upTo: oldest)
        offset = ring.reserve(byteCount: count, until: state.timeline.last + 1)
      }
      guard let offset else { throw ringFailure }
      UnsafeMutableRawBufferPointer(start: staging.address + offset, count: count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
      let region = VkBufferCopy(
        srcOffset: VkDeviceSize(offset), dstOffset: VkDeviceSize(target.offset + start),
        size: VkDeviceSize(count))
      _ = try copy(staging.handle, to: target.buffer.handle, region, keeping: target.buffer, &state)
    }
  }

  /// Waits for everything submitted, then copies `source` to `bytes`.
  func read(
    _ source: CheckedSlice, into bytes: UnsafeMutableRawBufferPointer, _ state: inout VulkanQueue.State
  ) throws(DeviceError) {
    let staging = try stagingBuffer()
    var pending: [(number: UInt64, offset: Int, bytes: Range<Int>)] = []
    // Stretches of the ring are released only once their bytes are out, so never by what merely completed.
    ring.release(upTo: state.timeline.completed)
    func finishFirst(_ state: inout VulkanQueue.State) throws(DeviceError) {
      guard let first = pending.first else { throw ringFailure }
      pending.removeFirst()
      try state.timeline.wait(for: first.number)
      UnsafeMutableRawBufferPointer(rebasing: bytes[first.bytes]).copyMemory(
        from: UnsafeRawBufferPointer(start: staging.address + first.offset, count: first.bytes.count))
      ring.release(upTo: first.number)
    }
    for start in stride(from: 0, to: bytes.count, by: chunkByteCount) {
      let range = start..<min(start + chunkByteCount, bytes.count)
      var offset = ring.reserve(byteCount: range.count, until: state.timeline.last + 1)
      while offset == nil {
        if pending.isEmpty, let oldest = ring.oldestSubmission {
          try state.timeline.wait(for: oldest)
          ring.release(upTo: oldest)
        } else {
          try finishFirst(&state)
        }
        offset = ring.reserve(byteCount: range.count, until: state.timeline.last + 1)
      }
      guard let offset else { throw ringFailure }
      let region = VkBufferCopy(
        srcOffset: VkDeviceSize(source.offset + start), dstOffset: VkDeviceSize(offset),
        size: VkDeviceSize(range.count))
      let number = try copy(source.buffer.handle, to: staging.handle, region, keeping: source.buffer, &state)
      pending.append((number, offset, range))
    }
    while !pending.isEmpty { try finishFirst(&state) }
  }

  /// Submits a copy from or to the stretch of the ring that was lent last; takes it back where that fails.
  private func copy(
    _ source: VkBuffer, to target: VkBuffer, _ region: VkBufferCopy, keeping buffer: VulkanBuffer,
    _ state: inout VulkanQueue.State
  ) throws(DeviceError) -> UInt64 {
    do throws(DeviceError) {
      return try submit(buffer, &state) { encoder in
        encoder.barrier()
        encoder.copy(source, to: target, region)
        encoder.hostBarrier()
      }
    } catch {
      ring.cancelLatest()
      throw error
    }
  }

  /// Records and submits a command buffer for this once; `kept` stays alive until it has completed.
  func submit(
    _ kept: any AnyObject & Sendable, _ state: inout VulkanQueue.State,
    _ body: (inout CommandEncoder) -> Void
  ) throws(DeviceError) -> UInt64 {
    while let first = busy.first, first.number <= state.timeline.completed {
      free.append(first.buffer)
      busy.removeFirst()
    }
    let buffer = if let reused = free.popLast() { reused } else { try commands.make() }
    let number: UInt64
    do throws(DeviceError) {
      try commands.record(buffer, usage: VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT, body)
      number = try state.timeline.submit([buffer])
    } catch {
      free.append(buffer)
      throw error
    }
    busy.append((buffer, number))
    state.keep(kept, until: number)
    return number
  }

  private func stagingBuffer() throws(DeviceError) -> StagingBuffer {
    if let staging { return staging }
    let made = try StagingBuffer(context, byteCount: ring.capacity)
    staging = made
    return made
  }

  /// A chunk is at most a quarter of the ring, so an empty ring always has room for one.
  private var ringFailure: DeviceError {
    .outOfMemory(
      device: context.name, purpose: "a copy between host and device", requestedByteCount: chunkByteCount,
      availableByteCount: ring.capacity)
  }
}
