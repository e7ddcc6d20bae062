import HeklaText

/// What training by a step came to.
struct StepResult: Equatable, Encodable {
  /// Which step.
  var step: String
  /// The device's name.
  var device: String
  /// The median time of a step in milliseconds.
  var medianMilliseconds: Double
  /// From the process's start to the end of the first step, in milliseconds; nil where the system does not tell.
  var firstMilliseconds: Double?
  /// By how much memory in use grew at most; nil where the system does not tell.
  var peakByteCount: Int?
  /// The bytes of arenas and parameters that the plan asks for.
  var plannedByteCount: Int
  /// The launches of a step.
  var launchCount: Int
  /// What a step costs the host.
  var hostTime: HostTime
  /// The loss of the first step.
  var firstLoss: Float
  /// The loss of the last step, on the first one's batch.
  var lastLoss: Float
  /// Whether a second training from the same seed ended with the same bits.
  var isRepeatable: Bool

  /// Whether the training went well.
  var hasPassed: Bool { lastLoss.isFinite && lastLoss < firstLoss && isRepeatable }

  private enum CodingKeys: String, CodingKey {
    case step, device
    case medianMilliseconds = "median_ms"
    case firstMilliseconds = "first_ms"
    case peakByteCount = "peak_bytes"
    case plannedByteCount = "planned_bytes"
    case launchCount = "launches"
    case hostMicrosecondsPerLaunch = "host_us_per_launch"
    case hostWallMicrosecondsPerLaunch = "host_wall_us_per_launch"
    case uploadMicroseconds = "upload_us"
    case firstLoss = "loss_first"
    case lastLoss = "loss_last"
    case passed
  }

  /// Writes the members that the help promises, in that order.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(step, forKey: .step)
    try container.encode(device, forKey: .device)
    try container.encode(medianMilliseconds, forKey: .medianMilliseconds)
    try container.encode(firstMilliseconds, forKey: .firstMilliseconds)
    try container.encode(peakByteCount, forKey: .peakByteCount)
    try container.encode(plannedByteCount, forKey: .plannedByteCount)
    try container.encode(launchCount, forKey: .launchCount)
    try container.encode(hostTime.microsecondsPerLaunch, forKey: .hostMicrosecondsPerLaunch)
    try container.encode(hostTime.wallMicrosecondsPerLaunch, forKey: .hostWallMicrosecondsPerLaunch)
    try container.encode(hostTime.uploadMicroseconds, forKey: .uploadMicroseconds)
    try container.encode(firstLoss, forKey: .firstLoss)
    try container.encode(lastLoss, forKey: .lastLoss)
    try container.encode(hasPassed, forKey: .passed)
  }

  /// A table of one line.
  func text(for terminal: Terminal) -> String {
    func mebibytes(_ count: Int) -> String { NumberText.plain(Double(count) / 0x1p20, 3) }
    var table = TextTable([
      "step", "device", "median ms", "first ms", "peak MiB", "planned MiB", "launches", "host us/launch",
      "wall us/launch", "upload us", "first loss", "last loss", "check",
    ])
    table.add([
      step, device, NumberText.plain(medianMilliseconds, 4),
      firstMilliseconds.map { NumberText.plain($0, 4) } ?? "-", peakByteCount.map(mebibytes) ?? "-",
      mebibytes(plannedByteCount), String(launchCount),
      NumberText.plain(hostTime.microsecondsPerLaunch, 3),
      NumberText.plain(hostTime.wallMicrosecondsPerLaunch, 3),
      NumberText.plain(hostTime.uploadMicroseconds, 3),
      NumberText.short(Double(firstLoss)), NumberText.short(Double(lastLoss)),
      hasPassed ? terminal.styled("passed", .green) : terminal.styled("failed", .red),
    ])
    return table.text()
  }
}
