import HeklaArrays
import HeklaDevices

extension CompiledStep {
  /// The time of one run on its device once its inputs are there: launches only, no transfers.
  ///
  /// A GPU driven through Vulkan has timestamps, which tell the time of each launch alone, isolated from the next: a
  /// time that includes submission would hide a kernel of microseconds, and launches that overlap would count the same
  /// time twice. Elsewhere the clock on the wall times several replays that are submitted back to back, then waited
  /// for once, and divides by their number. On the cpu device submitting is running, so nothing is hidden. An OpenCL
  /// driver's events also leave out what the driver itself adds to every launch, which whoever runs the step pays.
  /// Software drivers are timed by the clock too: their timestamps tell when a command was taken up by one of the
  /// processor's threads, not what it cost.
  ///
  /// - Parameters:
  ///   - device: The capabilities of the step's device.
  ///   - replays: How often the step runs where the clock is used.
  package func milliseconds(on device: Capabilities, replays: Int) throws(DeviceError) -> Double {
    guard device.interface == .vulkan, device.kind.isGPU, device.timestampPeriod > 0 else {
      return try wallMilliseconds(replays: replays)
    }
    return try profile().reduce(0) { $0 + $1.nanoseconds } * 1e-6
  }

  /// The time on the clock of one of `replays` runs, submitted back to back and waited for once.
  package func wallMilliseconds(replays: Int) throws(DeviceError) -> Double {
    try waitUntilIdle()
    let clock = ContinuousClock()
    let start = clock.now
    for _ in 0..<replays { try submit() }
    try waitUntilIdle()
    return (clock.now - start) / .milliseconds(1) / Double(replays)
  }

  /// The first half of `submit`: hands the arguments of the next run over.
  package func upload(_ arguments: [HostArray]) throws(DeviceError) { try write(arguments, for: "run") }

  /// The other half of `submit`: starts a run with the arguments that were handed over last.
  package func replay() throws(DeviceError) { try executor.queue.submit(try ready()) }

  /// A run with the arguments that were handed over last and each launch timed on its own.
  package func timedReplay() throws(DeviceError) -> [CommandTiming] {
    let timings = try executor.queue.profile(try ready())
    try indexStatus?.check()
    return timings
  }
}
