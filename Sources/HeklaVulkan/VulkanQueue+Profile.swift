import CVulkan
import HeklaDevices

extension VulkanQueue {
  /// Runs `recording` once with each command isolated from the next, and waits.
  ///
  /// The first run of a kernel may contain its compilation by the driver: submit once before.
  ///
  /// - Returns: One entry per dispatch, copy and fill, in order.
  public func profile(_ recording: any Recording) throws(DeviceError) -> [CommandTiming] {
    let recording = try own(recording, call: "profile")
    return try withState { (state) throws(DeviceError) -> [CommandTiming] in
      try state.waitUntilIdle()
      var timings: [CommandTiming] = []
      var origin = Origin()
      let steps = recording.steps.filter { $0.label != nil }
      for start in stride(from: 0, to: steps.count, by: VulkanRecording.commandBufferCapacity) {
        let part = steps[start..<min(start + VulkanRecording.commandBufferCapacity, steps.count)]
        timings +=
          usesTimestamps
          ? try timeOnDevice(part, of: recording, from: &origin, &state)
          : try timeOnHost(part, of: recording, from: &origin, &state)
      }
      return timings
    }
  }

  /// When the first command of a profile began, by the clock that is used.
  private struct Origin {
    var ticks: UInt64?
    var instant: ContinuousClock.Instant?
  }

  /// Two timestamps around each command, and a barrier that everything before has passed.
  private func timeOnDevice(
    _ steps: ArraySlice<RecordedStep>, of recording: VulkanRecording, from origin: inout Origin,
    _ state: inout State
  ) throws(DeviceError) -> [CommandTiming] {
    let functions = context.functions
    var information = VkQueryPoolCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO
    information.queryType = VK_QUERY_TYPE_TIMESTAMP
    information.queryCount = UInt32(2 * steps.count)
    let queries = try context.make("vkCreateQueryPool", destroy: functions.destroyQueryPool) {
      functions.createQueryPool(context.handle, &information, nil, $0)
    }
    let pool = queries.handle
    _ = try state.transfers.submit(recording, &state) { encoder in
      encoder.reset(pool, count: 2 * steps.count)
      for (index, step) in steps.enumerated() {
        encoder.barrier()
        encoder.timestamp(pool, at: 2 * index)
        encoder.encode(step)
        encoder.timestamp(pool, at: 2 * index + 1)
      }
      encoder.hostBarrier()
    }
    try state.waitUntilIdle()
    var ticks = [UInt64](repeating: 0, count: 2 * steps.count)
    let stride = MemoryLayout<UInt64>.stride
    let flags = VK_QUERY_RESULT_64_BIT.rawValue | VK_QUERY_RESULT_WAIT_BIT.rawValue
    try context.check(
      functions.getQueryPoolResults(
        context.handle, pool, 0, UInt32(ticks.count), ticks.count * stride, &ticks, VkDeviceSize(stride),
        flags),
      "vkGetQueryPoolResults")
    // Timestamps wrap around at their number of bits; so does the difference.
    let mask = UInt64.max >> UInt64(64 - context.physical.timestampBitCount)
    let first = origin.ticks ?? ticks.first ?? 0
    origin.ticks = first
    let period = context.capabilities.timestampPeriod
    return zip(steps, 0...).map { step, index in
      let start = (ticks[2 * index] &- first) & mask
      let elapsed = (ticks[2 * index + 1] &- ticks[2 * index]) & mask
      return CommandTiming(
        label: step.label ?? "", start: Double(start) * period, nanoseconds: Double(elapsed) * period)
    }
  }

  /// One submission for each command, timed on the host from submission to completion.
  private func timeOnHost(
    _ steps: ArraySlice<RecordedStep>, of recording: VulkanRecording, from origin: inout Origin,
    _ state: inout State
  ) throws(DeviceError) -> [CommandTiming] {
    var timings: [CommandTiming] = []
    for step in steps {
      let start = ContinuousClock.now
      _ = try state.transfers.submit(recording, &state) { encoder in
        encoder.barrier()
        encoder.encode(step)
        encoder.hostBarrier()
      }
      try state.waitUntilIdle()
      let elapsed = start.duration(to: .now)
      let first = origin.instant ?? start
      origin.instant = first
      timings.append(
        CommandTiming(
          label: step.label ?? "", start: (start - first) / .nanoseconds(1),
          nanoseconds: elapsed / .nanoseconds(1)))
    }
    return timings
  }
}
