import COpenCL
import Glibc
import HeklaDevices
import Synchronization

/// An in-order queue of an OpenCL device.
public final class OpenCLQueue: Queue {
  private let context: OpenCLContext
  private let state: Mutex<State>

  private struct State: Sendable {
    /// What everything is enqueued on.
    let queue: OpenCLReference
    /// A queue whose events have times, made for the first profile.
    var profilingQueue: OpenCLReference?
    /// The event of the last command that was submitted: how its end, good or bad, is learnt.
    var lastEvent: OpenCLReference?
  }

  /// Makes a queue in `context`.
  init(_ context: OpenCLContext) throws(DeviceError) {
    try context.checkPresence()
    self.context = context
    state = Mutex(State(queue: try Self.makeQueue(properties: 0, in: context)))
  }

  private static func makeQueue(
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
  public func submit(_ recording: any Recording) throws(DeviceError) {
    let recording = try checked(recording, call: "submit")
    if recording.steps.isEmpty { return }
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in
      let queue = state.queue.handle
      var event: cl_event?
      let last = recording.steps.count - 1
      for index in 0..<last { try recording.enqueue(index, on: queue, event: nil) }
      try recording.enqueue(last, on: queue, event: &event)
      state.lastEvent = event.map { OpenCLReference($0, release: context.api.clReleaseEvent) }
      try context.check(context.api.clFlush(queue), "clFlush", for: recording.labels[last])
    }
  }

  /// Copies `bytes` into `slice`, after everything submitted before and before everything submitted later.
  ///
  /// Returns without waiting for the device where `bytes` are few: what changes from step to step, such as a
  /// learning rate, must not stop the stream of steps.
  public func write(_ bytes: UnsafeRawBufferPointer, to slice: BufferSlice) throws(DeviceError) {
    let buffer = try context.buffer(of: slice, call: "write", role: "the target of a write")
    try checkCount(bytes.count, of: slice, call: "write")
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in
      if bytes.count <= Self.stagedByteCount {
        try stage(bytes, to: buffer, at: slice.offset, on: state.queue.handle)
      } else {
        let status = context.api.clEnqueueWriteBuffer(
          state.queue.handle, buffer.handle, cl_bool(CL_TRUE), slice.offset, bytes.count, source, 0, nil, nil)
        try context.check(
          status, "clEnqueueWriteBuffer", for: "a write", byteCount: bytes.count, isExecuting: true)
      }
    }
  }

  /// Waits for everything submitted before, then copies `slice` into `bytes`.
  public func read(_ slice: BufferSlice, into bytes: UnsafeMutableRawBufferPointer) throws(DeviceError) {
    let buffer = try context.buffer(of: slice, call: "read", role: "the source of a read")
    try checkCount(bytes.count, of: slice, call: "read")
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in
      if let target = bytes.baseAddress, bytes.count > 0 {
        let status = context.api.clEnqueueReadBuffer(
          state.queue.handle, buffer.handle, cl_bool(CL_TRUE), slice.offset, bytes.count, target, 0, nil, nil)
        try context.check(
          status, "clEnqueueReadBuffer", for: "a read", byteCount: bytes.count, isExecuting: true)
      }
      try finish(&state)
    }
  }

  /// Waits for everything submitted before.
  public func waitUntilIdle() throws(DeviceError) {
    try context.checkPresence()
    try state.withLock { (state) throws(DeviceError) in try finish(&state) }
  }

  /// Runs `recording` once with each command isolated from the next, and waits.
  public func profile(_ recording: any Recording) throws(DeviceError) -> [CommandTiming] {
    let recording = try checked(recording, call: "profile")
    try context.checkPresence()
    return try state.withLock { (state) throws(DeviceError) in
      try finish(&state)
      let queue: OpenCLReference
      if let made = state.profilingQueue {
        queue = made
      } else {
        queue = try Self.makeQueue(properties: CL_QUEUE_PROFILING_ENABLE, in: context)
        state.profilingQueue = queue
      }
      var timings: [CommandTiming] = []
      for (index, label) in recording.labels.enumerated() {
        var handle: cl_event?
        try recording.enqueue(index, on: queue.handle, event: &handle)
        guard let handle else { continue }
        let event = OpenCLReference(handle, release: context.api.clReleaseEvent)
        try wait(for: event, activity: label)
        timings.append(CommandTiming(label: label, nanoseconds: try duration(of: event)))
      }
      return timings
    }
  }
}

extension OpenCLQueue {
  /// Writes of up to this many bytes are copied aside first, so that the caller need not wait.
  private static let stagedByteCount = 65_536

  /// Enqueues a write of a copy of `bytes` that is freed once the device has it.
  private func stage(
    _ bytes: UnsafeRawBufferPointer, to buffer: OpenCLBuffer, at offset: Int, on queue: cl_command_queue
  ) throws(DeviceError) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    copy.copyMemory(from: bytes)
    var event: cl_event?
    var status = context.api.clEnqueueWriteBuffer(
      queue, buffer.handle, cl_bool(CL_FALSE), offset, bytes.count, copy.baseAddress, 0, nil, &event)
    if status != CL_SUCCESS || event == nil {
      copy.deallocate()
      try context.check(status, "clEnqueueWriteBuffer", for: "a write", byteCount: bytes.count)
    }
    defer { _ = context.api.clReleaseEvent(event) }
    // Called with a negative status as well when the write fails, so the copy goes in any case.
    status = context.api.clSetEventCallback(
      event, CL_COMPLETE, { _, _, copy in copy?.deallocate() }, copy.baseAddress)
    if status != CL_SUCCESS {
      let waited = context.api.clWaitForEvents(1, &event)
      copy.deallocate()
      try context.check(waited, "clWaitForEvents", for: "a write", isExecuting: true)
    }
    try context.check(context.api.clFlush(queue), "clFlush", for: "a write")
  }

  /// Waits for the queue, then throws what became of the last command.
  private func finish(_ state: inout State) throws(DeviceError) {
    try context.check(
      context.api.clFinish(state.queue.handle), "clFinish", for: "submitted work", isExecuting: true)
    guard let event = state.lastEvent else { return }
    state.lastEvent = nil
    try checkEnd(of: event, activity: "submitted work")
  }

  private func wait(for event: OpenCLReference, activity: String) throws(DeviceError) {
    var handle: cl_event? = event.handle
    try context.check(
      context.api.clWaitForEvents(1, &handle), "clWaitForEvents", for: activity, isExecuting: true)
    try checkEnd(of: event, activity: activity)
  }

  /// Throws when the finished command of `event` ended abnormally.
  private func checkEnd(of event: OpenCLReference, activity: String) throws(DeviceError) {
    var end = cl_int(CL_COMPLETE)
    let status = context.api.clGetEventInfo(
      event.handle, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), MemoryLayout<cl_int>.size, &end, nil)
    try context.check(status, "clGetEventInfo", for: activity, isExecuting: true)
    if end < 0 { try context.check(end, "clEnqueueNDRangeKernel", for: activity, isExecuting: true) }
  }

  private func duration(of event: OpenCLReference) throws(DeviceError) -> Double {
    let start = try time(CL_PROFILING_COMMAND_START, of: event)
    return Double(try time(CL_PROFILING_COMMAND_END, of: event) - start)
  }

  private func time(_ moment: Int32, of event: OpenCLReference) throws(DeviceError) -> Int64 {
    var nanoseconds = cl_ulong(0)
    let status = context.api.clGetEventProfilingInfo(
      event.handle, cl_profiling_info(moment), MemoryLayout<cl_ulong>.size, &nanoseconds, nil)
    try context.check(status, "clGetEventProfilingInfo", for: "a profile", isExecuting: true)
    return Int64(clamping: nanoseconds)
  }

  private func checked(_ recording: any Recording, call: String) throws(DeviceError) -> OpenCLRecording {
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

extension OpenCLRecording {
  /// Enqueues the command at `index`, the whole work of a replay.
  @inline(__always)
  fileprivate func enqueue(
    _ index: Int, on queue: cl_command_queue, event: UnsafeMutablePointer<cl_event?>?
  ) throws(DeviceError) {
    let api = context.api
    let status: cl_int
    switch steps[index] {
    case .dispatch(let kernel, let first):
      status = sizes.withUnsafeBufferPointer { sizes in
        let global = sizes.baseAddress.map { $0 + first }
        return api.clEnqueueNDRangeKernel(queue, kernel, 3, nil, global, global.map { $0 + 3 }, 0, nil, event)
      }
    case .copy(let source, let sourceOffset, let target, let targetOffset, let byteCount):
      status = api.clEnqueueCopyBuffer(
        queue, source, target, sourceOffset, targetOffset, byteCount, 0, nil, event)
    case .fill(let target, let offset, let byteCount, let word):
      status = withUnsafePointer(to: word) {
        api.clEnqueueFillBuffer(
          queue, target, $0, MemoryLayout<UInt32>.size, offset, byteCount, 0, nil, event)
      }
    }
    try context.check(status, "clEnqueueNDRangeKernel", for: labels[index])
  }
}
