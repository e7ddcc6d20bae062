import CVulkan
import HeklaDevices
import Synchronization

/// Runs recordings on a Vulkan device, in order.
///
/// All queues of a device share its one Vulkan queue. What runs is kept alive here until it has completed.
public final class VulkanQueue: Queue {
  /// The device that the queue is of.
  let context: DeviceContext
  /// Whether profiles use the device's clock.
  let usesTimestamps: Bool
  private let state: Mutex<State>

  /// What the lock guards.
  struct State: Sendable {
    /// Numbers submissions.
    var timeline: SubmissionTimeline
    /// Carries bytes between host and device.
    var transfers: Transfers
    /// What has to stay alive, and until which submission has completed.
    var inFlight: [(object: any AnyObject & Sendable, number: UInt64)] = []

    /// Keeps `object` until submission `number` has completed.
    mutating func keep(_ object: any AnyObject & Sendable, until number: UInt64) {
      // What is replayed is there once; the newest come last.
      if let index = inFlight.lastIndex(where: { $0.object === object }) {
        inFlight[index].number = number
      } else {
        inFlight.append((object, number))
      }
    }

    /// Lets go of what has completed.
    mutating func releaseCompleted() {
      let completed = timeline.completed
      inFlight.removeAll { $0.number <= completed }
    }

    /// Waits for everything.
    mutating func waitUntilIdle() throws(DeviceError) {
      try timeline.wait(for: timeline.last)
      releaseCompleted()
    }
  }

  /// Makes a queue on `context`.
  init(_ context: DeviceContext, options: VulkanOptions) throws(DeviceError) {
    self.context = context
    usesTimestamps = options.usesTimestamps && context.physical.timestampBitCount > 0
    let timeline = try SubmissionTimeline(context, prefersSemaphore: options.usesTimelineSemaphores)
    let transfers = try Transfers(context, capacity: options.stagingByteCount)
    state = Mutex(State(timeline: timeline, transfers: transfers))
  }

  deinit {
    state.withLock { state in
      do throws(DeviceError) {
        try state.waitUntilIdle()
      } catch {
        // Whatever went wrong, nothing may run on that uses what is freed next.
        context.waitUntilIdle()
      }
    }
  }

  /// Prepares `commands` so that they can be submitted many times at little cost.
  ///
  /// - Throws: `DeviceError.limitExceeded` or `.invalidArgument` for a command the device cannot run.
  public func record(_ commands: [Command]) throws(DeviceError) -> any Recording {
    try context.checkAlive()
    var checked: [CheckedCommand] = []
    checked.reserveCapacity(commands.count)
    for (index, command) in commands.enumerated() { checked.append(try context.check(command, at: index)) }
    return try VulkanRecording(checked, on: context)
  }

  /// Starts `recording` after everything submitted before; returns without waiting for it.
  public func submit(_ recording: any Recording) throws(DeviceError) {
    let recording = try own(recording, call: "submit")
    try withState { (state) throws(DeviceError) in
      let number = try state.timeline.submit(recording.commandBuffers)
      state.keep(recording, until: number)
    }
  }

  /// Copies `bytes` into `slice`, after everything submitted before and before everything submitted later.
  public func write(_ bytes: UnsafeRawBufferPointer, to slice: BufferSlice) throws(DeviceError) {
    guard let target = try check(bytes.count, slice, call: "write") else { return }
    try withState { (state) throws(DeviceError) in
      if let address = target.buffer.address {
        // A batch for the next step does not wait for the step in flight: it follows as a copy of its own. More than
        // the ring holds would wait there, and be copied twice.
        let isIdle = try state.timeline.isIdle()
        if isIdle || bytes.count > state.transfers.capacity {
          if !isIdle { try state.waitUntilIdle() }
          UnsafeMutableRawBufferPointer(start: address + target.offset, count: bytes.count).copyMemory(
            from: bytes)
          return
        }
      }
      try state.transfers.write(bytes, to: target, &state)
    }
  }

  /// Waits for everything submitted before, then copies `slice` into `bytes`.
  public func read(_ slice: BufferSlice, into bytes: UnsafeMutableRawBufferPointer) throws(DeviceError) {
    guard let source = try check(bytes.count, slice, call: "read") else { return }
    try withState { (state) throws(DeviceError) in
      guard let address = source.buffer.readAddress(for: bytes.count) else {
        try state.transfers.read(source, into: bytes, &state)
        return
      }
      try state.waitUntilIdle()
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: address + source.offset, count: bytes.count))
    }
  }

  /// Waits for everything submitted before.
  public func waitUntilIdle() throws(DeviceError) {
    try withState { (state) throws(DeviceError) in try state.waitUntilIdle() }
  }

  /// Runs `body` with the state, on a device that is not lost, once what has completed was let go.
  func withState<Result: Sendable>(
    _ body: (inout State) throws(DeviceError) -> Result
  ) throws(DeviceError) -> Result {
    try context.checkAlive()
    return try state.withLock { (state) throws(DeviceError) -> Result in
      try state.timeline.poll()
      state.releaseCompleted()
      return try body(&state)
    }
  }

  /// `recording` as one of this device's.
  func own(_ recording: any Recording, call: String) throws(DeviceError) -> VulkanRecording {
    guard let recording = recording as? VulkanRecording, recording.context === context else {
      throw .invalidArgument(call: call, reason: "The recording was not made by a queue of \(context.name).")
    }
    return recording
  }

  /// Checks a transfer of `byteCount` bytes; nil where there is nothing to do.
  private func check(_ byteCount: Int, _ slice: BufferSlice, call: String) throws(DeviceError)
    -> CheckedSlice?
  {
    guard byteCount <= slice.byteCount else {
      throw .invalidArgument(
        call: call, reason: "\(byteCount) bytes were given for a slice of \(slice.byteCount) bytes.")
    }
    if byteCount == 0 { return nil }
    var checked = try context.check(slice, call: call)
    checked.byteCount = byteCount
    return checked
  }
}
