import HeklaDevices
import HeklaRuntime

/// How long a compiled step takes on its device once its inputs are there: launches only, no transfers.
///
/// A GPU driven through Vulkan has timestamps, which tell the time of each launch alone, isolated from the next: a
/// time that includes submission would hide a kernel of microseconds, and launches that overlap would count the same
/// time twice. Elsewhere the clock on the wall times several replays that are submitted back to back, then waited
/// for once, and divides by their number. On the cpu device submitting is running, so nothing is hidden. An OpenCL
/// driver's events also leave out what the driver itself adds to every launch, which whoever runs the step pays.
/// Software drivers are timed by the clock too: their timestamps tell when a command was taken up by one of the
/// processor's threads, not what it cost.
struct LaunchTimer {
  /// The most repetitions.
  var repetitions: Int
  /// The time after which no more are begun, in seconds; three are made in any case, if `repetitions` allows.
  var seconds: Double

  private static let clock = ContinuousClock()

  /// The median time of one run of `step` in milliseconds.
  ///
  /// The step has run once before, so that compilation by the driver is over.
  func medianMilliseconds(of step: CompiledStep, on device: Capabilities) throws(DeviceError) -> Double {
    let usesTimestamps = device.interface == .vulkan && device.kind.isGPU && device.timestampPeriod > 0
    // Clocks rise and caches fill.
    let single = try wallMilliseconds(of: step, replays: 1)
    let replays = max(1, min(1000, Int(2 / max(single, 0.001))))
    _ = try wallMilliseconds(of: step, replays: replays)
    let start = Self.clock.now
    var times: [Double] = []
    while times.count < repetitions, times.count < 3 || Self.clock.now - start < .seconds(seconds) {
      times.append(
        usesTimestamps
          ? try step.profile().reduce(0) { $0 + $1.nanoseconds } * 1e-6
          : try wallMilliseconds(of: step, replays: replays))
    }
    return times.median
  }

  private func wallMilliseconds(of step: CompiledStep, replays: Int) throws(DeviceError) -> Double {
    try step.waitUntilIdle()
    let start = Self.clock.now
    for _ in 0..<replays { try step.submit() }
    try step.waitUntilIdle()
    return (Self.clock.now - start) / .milliseconds(1) / Double(replays)
  }
}
