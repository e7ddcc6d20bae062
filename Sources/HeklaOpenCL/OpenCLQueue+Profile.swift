import COpenCL
import HeklaDevices

extension OpenCLQueue {
  /// Runs `recording` once with each command isolated from the next, and waits.
  ///
  /// - Returns: The device's own times, from the start of each command to its end, in nanoseconds.
  public func profile(_ recording: any Recording) throws(DeviceError) -> [CommandTiming] {
    let recording = try checked(recording, call: "profile")
    try context.checkPresence()
    return try state.withLock { (state) throws(DeviceError) in
      try finish(&state)
      let queue = try profilingQueue(&state)
      var timings: [CommandTiming] = []
      var first: cl_ulong?
      for (index, note) in recording.notes.enumerated() {
        var handle: cl_event?
        try recording.enqueue(index, on: queue.handle, event: &handle)
        let event = try context.reference(
          handle, CL_SUCCESS, "clEnqueueNDRangeKernel", for: note.label, release: context.api.clReleaseEvent,
          origin: context)
        try wait(for: event, activity: note.label)
        let start = try time(CL_PROFILING_COMMAND_START, of: event, label: note.label)
        let end = try time(CL_PROFILING_COMMAND_END, of: event, label: note.label)
        timings.append(
          CommandTiming(
            label: note.label, start: Double(start) - Double(first ?? start),
            nanoseconds: Double(end) - Double(start)))
        first = first ?? start
      }
      return timings
    }
  }

  /// The queue whose events have times: one of its own, since on some drivers times make every command dearer.
  private func profilingQueue(_ state: inout State) throws(DeviceError) -> OpenCLReference {
    if let queue = state.profilingQueue { return queue }
    let queue = try Self.makeQueue(properties: CL_QUEUE_PROFILING_ENABLE, in: context)
    state.profilingQueue = queue
    return queue
  }

  private func time(_ moment: Int32, of event: OpenCLReference, label: String) throws(DeviceError) -> cl_ulong
  {
    var nanoseconds = cl_ulong(0)
    let status = context.api.clGetEventProfilingInfo(
      event.handle, cl_profiling_info(moment), MemoryLayout<cl_ulong>.size, &nanoseconds, nil)
    try context.check(status, "clGetEventProfilingInfo", for: label, isExecuting: true)
    return nanoseconds
  }
}
