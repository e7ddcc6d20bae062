import COpenCL
import HeklaDevices
import Synchronization

/// An in-order queue of an OpenCL device.
public final class OpenCLQueue: Queue {
  let context: OpenCLContext
  let state: Mutex<State>

  /// What the queue's lock guards.
  struct State: Sendable {
    /// What everything is enqueued on.
    let queue: OpenCLReference
    /// A queue whose events have times, made for the first profile.
    var profilingQueue: OpenCLReference?
    /// The event of the last command: how its end, good or bad, is learnt.
    ///
    /// A queue in order makes each command depend on the one before, so that failures travel to the last.
    var lastEvent: OpenCLReference?
    /// The event up to which `pendingByteCount` counts from.
    var milestone: OpenCLReference?
    /// What writes pass through, made for the first of them.
    var staging: OpenCLStaging?
    /// What the driver may hold for commands enqueued since the milestone.
    var pendingByteCount = 0
  }

  /// Makes a queue in `context`.
  init(_ context: OpenCLContext) throws(DeviceError) {
    try context.checkPresence()
    self.context = context
    state = Mutex(State(queue: try Self.makeQueue(properties: 0, in: context)))
  }

  /// Makes a driver's queue with the given properties.
  static func makeQueue(
    properties: Int32, in context: OpenCLContext
  ) throws(DeviceError) -> OpenCLReference {
    var status = cl_int(CL_SUCCESS)
    let handle = context.api.clCreateCommandQueue(
      context.handle, context.query.device, cl_command_queue_properties(properties), &status)
    return try context.reference(
      handle, status, "clCreateCommandQueue", for: "a queue", release: context.api.clReleaseCommandQueue,
      origin: context)
  }

  /// Prepares `commands` so that they can be submitted many times at little cost.
  public func record(_ commands: [Command]) throws(DeviceError) -> any Recording {
    try context.checkPresence()
    return try OpenCLRecording(commands, in: context)
  }

  /// Starts `recording` after everything submitted before; returns without waiting for it.
  ///
  /// Where the device has fallen far behind, waits for work of long before, so that the driver's lists of what
  /// is to be done stay bounded.
  public func submit(_ recording: any Recording) throws(DeviceError) {
    let recording = try checked(recording, call: "submit")
    guard recording.commandCount > 0 else { return }
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in
      let queue = state.queue.handle
      var event: cl_event?
      let last = recording.commandCount - 1
      for index in 0..<last { try recording.enqueue(index, on: queue) }
      try recording.enqueue(last, on: queue, event: &event)
      try start(
        &state, event: event.map { OpenCLReference($0, release: context.api.clReleaseEvent) },
        commandCount: recording.commandCount)
    }
  }

  /// Copies `bytes` into `slice`, after everything submitted before and before everything submitted later.
  ///
  /// Returns without waiting for the device where `bytes` fit the staging memory: what changes from step to step,
  /// such as a batch, must not hold up the steps.
  public func write(_ bytes: UnsafeRawBufferPointer, to slice: BufferSlice) throws(DeviceError) {
    let buffer = try context.buffer(of: slice, call: "write", role: "the target of a write")
    try checkCount(bytes.count, of: slice, call: "write")
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in
      if bytes.count <= stagingByteCount {
        let event = try staging(&state).enqueue(bytes, to: buffer, at: slice.offset) {
          (event) throws(DeviceError) in try wait(for: event, activity: "a write")
        }
        try start(&state, event: event, commandCount: 1)
      } else {
        let status = context.api.clEnqueueWriteBuffer(
          state.queue.handle, buffer.handle, cl_bool(CL_TRUE), slice.offset, bytes.count, source, 0, nil, nil)
        try context.check(
          status, "clEnqueueWriteBuffer", for: "a write", byteCount: bytes.count, isExecuting: true)
        try settle(&state)
      }
    }
  }

  /// Waits for everything submitted before, then copies `slice` into `bytes`.
  public func read(_ slice: BufferSlice, into bytes: UnsafeMutableRawBufferPointer) throws(DeviceError) {
    let buffer = try context.buffer(of: slice, call: "read", role: "the source of a read")
    try checkCount(bytes.count, of: slice, call: "read")
    guard let target = bytes.baseAddress, bytes.count > 0 else { return try waitUntilIdle() }
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in
      let status = context.api.clEnqueueReadBuffer(
        state.queue.handle, buffer.handle, cl_bool(CL_TRUE), slice.offset, bytes.count, target, 0, nil, nil)
      try context.check(
        status, "clEnqueueReadBuffer", for: "a read", byteCount: bytes.count, isExecuting: true)
      try settle(&state)
    }
  }

  /// Waits for everything submitted before.
  public func waitUntilIdle() throws(DeviceError) {
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in try finish(&state) }
  }
}

extension OpenCLQueue {
  /// The size of the staging memory; as Vulkan's.
  private var stagingByteCount: Int { min(32 << 20, context.capabilities.maxBufferByteCount) }

  /// About what a driver keeps for a command until it has run; 1 KiB in PoCL 3.1.
  private static let commandByteCount = 1024

  /// The device may be behind by work that holds twice this much.
  private static let backlogByteCount = 1 << 24

  /// Has what was enqueued begin, and waits for older work where there is too much of it.
  private func start(_ state: inout State, event: OpenCLReference?, commandCount: Int) throws(DeviceError) {
    state.lastEvent = event
    try context.check(context.api.clFlush(state.queue.handle), "clFlush", for: "submitted work")
    state.pendingByteCount += commandCount * Self.commandByteCount
    guard state.pendingByteCount > Self.backlogByteCount else { return }
    if let milestone = state.milestone { try wait(for: milestone, activity: "submitted work") }
    state.milestone = state.lastEvent
    state.pendingByteCount = 0
  }

  /// The staging memory, made now where there is none yet.
  private func staging(_ state: inout State) throws(DeviceError) -> OpenCLStaging {
    if let staging = state.staging { return staging }
    let staging = try OpenCLStaging(byteCount: stagingByteCount, on: state.queue, in: context)
    state.staging = staging
    return staging
  }

  /// Waits for the queue, then throws what became of the last command.
  func finish(_ state: inout State) throws(DeviceError) {
    try context.check(
      context.api.clFinish(state.queue.handle), "clFinish", for: "submitted work", isExecuting: true)
    try settle(&state)
  }

  /// Throws what became of the last command, once it is known that the queue has run dry.
  private func settle(_ state: inout State) throws(DeviceError) {
    let event = state.lastEvent
    state.lastEvent = nil
    state.milestone = nil
    state.pendingByteCount = 0
    state.staging?.releaseAll()
    if let event { try checkEnd(of: event, activity: "submitted work") }
  }

  /// Waits for the command of `event`, then throws what became of it.
  func wait(for event: OpenCLReference, activity: String) throws(DeviceError) {
    var handle: cl_event? = event.handle
    try context.check(
      context.api.clWaitForEvents(1, &handle), "clWaitForEvents", for: activity, isExecuting: true)
    try checkEnd(of: event, activity: activity)
  }

  /// Throws when the finished command of `event` ended abnormally.
  private func checkEnd(of event: OpenCLReference, activity: String) throws(DeviceError) {
    let end = try context.executionStatus(of: event)
    // Anything above CL_COMPLETE has not ended.
    if end < CL_COMPLETE {
      try context.check(end, "clEnqueueNDRangeKernel", for: activity, isExecuting: true)
    }
  }

  /// `recording`, once it is known that it is this device's.
  func checked(_ recording: any Recording, call: String) throws(DeviceError) -> OpenCLRecording {
    guard let recording = recording as? OpenCLRecording, recording.context === context else {
      throw .invalidArgument(call: call, reason: "the recording is another device's, not \(context.name)'s.")
    }
    return recording
  }

  private func checkCount(_ byteCount: Int, of slice: BufferSlice, call: String) throws(DeviceError) {
    guard byteCount <= slice.byteCount else {
      throw .invalidArgument(
        call: call, reason: "\(byteCount) bytes do not fit a slice of \(slice.byteCount) bytes.")
    }
  }
}
