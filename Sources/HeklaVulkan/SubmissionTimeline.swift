import CVulkan
import HeklaDevices

/// Numbers a queue's submissions 1, 2, 3, ... and tells which have completed.
///
/// One timeline semaphore where the device has them, else a fence per submission.
///
/// Unchecked Sendable: owned by a queue and only touched under that queue's lock.
final class SubmissionTimeline: @unchecked Sendable {
  /// The number of the latest submission; 0 before the first.
  private(set) var last: UInt64 = 0
  /// The number of the latest submission that is known to have completed.
  private(set) var completed: UInt64 = 0
  private let context: DeviceContext
  private let signal: Signal
  /// Where the batches of a submission are put together.
  private var batches: [VkSubmitInfo] = []

  private enum Signal {
    case semaphore(Semaphore)
    case fences(FenceList)
  }

  /// A timeline on `context`, with semaphores where `prefersSemaphore` allows it.
  init(_ context: DeviceContext, prefersSemaphore: Bool) throws(DeviceError) {
    self.context = context
    let usesSemaphore = prefersSemaphore && context.physical.features.timelineSemaphore
    signal = usesSemaphore ? .semaphore(try Semaphore(context)) : .fences(FenceList(context))
  }

  /// How many submissions may be in flight before the next one waits, so that a host that runs ahead of the
  /// device does not pile up work without end.
  private static let maxSubmissionsInFlight: UInt64 = 512

  /// Submits `commandBuffers`, each as a batch of its own, and returns the submission's number.
  ///
  /// Batches start in order; the barriers at the borders of recordings order what is in them.
  func submit(_ commandBuffers: [VkCommandBuffer?]) throws(DeviceError) -> UInt64 {
    let number = last + 1
    if number > Self.maxSubmissionsInFlight { try wait(for: number - Self.maxSubmissionsInFlight) }
    var fence: VkFence?
    if case .fences(let fences) = signal { fence = try fences.next() }
    let result = withBatches(of: commandBuffers, setting: number) { batches in
      context.submission.withLock { _ in
        context.functions.queueSubmit(context.queue, UInt32(batches.count), batches.baseAddress, fence)
      }
    }
    if case .fences(let fences) = signal, let fence {
      fences.note(fence, of: number, isSubmitted: result == VK_SUCCESS)
    }
    try context.check(result, "vkQueueSubmit")
    last = number
    return number
  }

  /// Calls `body` with a batch for each of `commandBuffers`, the last of which sets a semaphore to `number`.
  ///
  /// Takes no memory once there was a submission of as many.
  private func withBatches(
    of commandBuffers: [VkCommandBuffer?], setting number: UInt64,
    _ body: (UnsafeBufferPointer<VkSubmitInfo>) -> VkResult
  ) -> VkResult {
    commandBuffers.withUnsafeBufferPointer { buffers in
      batches.removeAll(keepingCapacity: true)
      for index in buffers.indices {
        var batch = VkSubmitInfo()
        batch.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
        batch.commandBufferCount = 1
        batch.pCommandBuffers = buffers.baseAddress.map { $0 + index }
        batches.append(batch)
      }
      guard case .semaphore(let semaphore) = signal else { return batches.withUnsafeBufferPointer(body) }
      return withUnsafePointer(to: number) { number in
        var values = VkTimelineSemaphoreSubmitInfo()
        values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO
        values.signalSemaphoreValueCount = 1
        values.pSignalSemaphoreValues = number
        let handle: VkSemaphore? = semaphore.owned.handle
        return withUnsafePointer(to: values) { values in
          withUnsafePointer(to: handle) { handle in
            batches[batches.count - 1].pNext = UnsafeRawPointer(values)
            batches[batches.count - 1].signalSemaphoreCount = 1
            batches[batches.count - 1].pSignalSemaphores = handle
            return batches.withUnsafeBufferPointer(body)
          }
        }
      }
    }
  }

  /// Asks the device how far it is.
  func poll() throws(DeviceError) {
    guard completed < last else { return }
    switch signal {
    case .semaphore(let semaphore): completed = max(completed, try semaphore.value())
    case .fences(let fences): completed = max(completed, try fences.poll())
    }
  }

  /// Whether nothing is in flight.
  func isIdle() throws(DeviceError) -> Bool {
    try poll()
    return completed == last
  }

  /// Waits until submission `number` has completed.
  func wait(for number: UInt64) throws(DeviceError) {
    guard completed < number else { return }
    switch signal {
    case .semaphore(let semaphore): try semaphore.wait(for: number)
    case .fences(let fences): try fences.wait(for: number)
    }
    completed = max(completed, number)
  }
}

/// A timeline semaphore, whose value is the number of the latest completed submission.
private final class Semaphore {
  let owned: OwnedHandle
  private let context: DeviceContext
  private let getValue: PFN_vkGetSemaphoreCounterValue
  private let waitForValue: PFN_vkWaitSemaphores

  init(_ context: DeviceContext) throws(DeviceError) {
    let functions = context.functions
    guard let getValue = functions.getSemaphoreCounterValue, let waitForValue = functions.waitSemaphores
    else {
      throw .driverFailure(device: context.name, call: "vkWaitSemaphores", code: 0)
    }
    self.context = context
    self.getValue = getValue
    self.waitForValue = waitForValue
    owned = try withScratch { (scratch) throws(DeviceError) -> OwnedHandle in
      var type = VkSemaphoreTypeCreateInfo()
      type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO
      type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE
      var information = VkSemaphoreCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO
      information.pNext = UnsafeRawPointer(scratch.copy(type))
      return try context.make("vkCreateSemaphore", destroy: functions.destroySemaphore) {
        functions.createSemaphore(context.handle, &information, nil, $0)
      }
    }
  }

  func value() throws(DeviceError) -> UInt64 {
    var value: UInt64 = 0
    try context.check(getValue(context.handle, owned.handle, &value), "vkGetSemaphoreCounterValue")
    return value
  }

  func wait(for value: UInt64) throws(DeviceError) {
    try withScratch { (scratch) throws(DeviceError) in
      let handle: VkSemaphore? = owned.handle
      var information = VkSemaphoreWaitInfo()
      information.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO
      information.semaphoreCount = 1
      information.pSemaphores = UnsafePointer(scratch.copy(handle))
      information.pValues = UnsafePointer(scratch.copy(value))
      try context.check(waitForValue(context.handle, &information, .max), "vkWaitSemaphores")
    }
  }
}

/// One fence for each submission in flight, reused afterwards.
private final class FenceList {
  private let context: DeviceContext
  private var pending: [(number: UInt64, fence: VkFence)] = []
  private var free: [VkFence] = []
  private var completed: UInt64 = 0

  init(_ context: DeviceContext) { self.context = context }

  deinit {
    for fence in free + pending.map(\.fence) { context.functions.destroyFence(context.handle, fence, nil) }
  }

  func next() throws(DeviceError) -> VkFence {
    if let fence = free.popLast() { return fence }
    var information = VkFenceCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
    var fence: VkFence?
    try context.check(
      context.functions.createFence(context.handle, &information, nil, &fence), "vkCreateFence")
    guard let fence else { throw .driverFailure(device: context.name, call: "vkCreateFence", code: 0) }
    return fence
  }

  func note(_ fence: VkFence, of number: UInt64, isSubmitted: Bool) {
    if isSubmitted { pending.append((number, fence)) } else { free.append(fence) }
  }

  func poll() throws(DeviceError) -> UInt64 {
    while let first = pending.first {
      let status = context.functions.getFenceStatus(context.handle, first.fence)
      try context.check(status, "vkGetFenceStatus")
      guard status == VK_SUCCESS else { break }
      try retireFirst()
    }
    return completed
  }

  func wait(for number: UInt64) throws(DeviceError) {
    while let first = pending.first, first.number <= number {
      var fence: VkFence? = first.fence
      try context.check(
        context.functions.waitForFences(context.handle, 1, &fence, VkBool32(VK_TRUE), .max), "vkWaitForFences"
      )
      try retireFirst()
    }
  }

  private func retireFirst() throws(DeviceError) {
    var fence: VkFence? = pending[0].fence
    try context.check(context.functions.resetFences(context.handle, 1, &fence), "vkResetFences")
    completed = pending[0].number
    free.append(pending.removeFirst().fence)
  }
}
