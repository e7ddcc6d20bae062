import HeklaDevices
import HeklaRuntime

/// How long a compiled step takes, as the median of repetitions of `CompiledStep.milliseconds(on:replays:)`.
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
    // Clocks rise and caches fill.
    let single = try step.wallMilliseconds(replays: 1)
    let replays = max(1, min(1000, Int(2 / max(single, 0.001))))
    _ = try step.wallMilliseconds(replays: replays)
    let start = Self.clock.now
    var times: [Double] = []
    while times.count < repetitions, times.count < 3 || Self.clock.now - start < .seconds(seconds) {
      times.append(try step.milliseconds(on: device, replays: replays))
    }
    return times.median
  }
}
