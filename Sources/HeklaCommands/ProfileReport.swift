import HeklaDevices
import HeklaRuntime
import HeklaText

/// Where the time of steps goes, as a table, as JSON and as a trace.
public struct ProfileReport: Sendable {
  /// A step, and what it is called.
  public struct Step: Sendable {
    /// Such as `step 1` or the name of a benchmark.
    public let name: String
    /// What was measured of it.
    public let profile: StepProfile

    /// The profile of `name`.
    public init(_ name: String, _ profile: StepProfile) { (self.name, self.profile) = (name, profile) }
  }

  /// What was run, such as a recipe's name.
  public let subject: String
  /// Where it ran.
  public let device: any Device
  /// What the device was seen to reach.
  public let roofline: Roofline
  /// The steps in order.
  public let steps: [Step]

  /// The report on `steps` of `subject`.
  public init(_ subject: String, on device: any Device, roofline: Roofline, steps: [Step]) {
    (self.subject, self.device, self.roofline, self.steps) = (subject, device, roofline, steps)
  }

  // MARK: Table

  /// The most kernels of a step that have lines of their own.
  private static let lineLimit = 25

  /// A table for each step, kernels that take longest first, then what else its time goes to.
  public func text(for terminal: Terminal) -> String {
    let blocks = steps.map { text(of: $0, for: terminal) }
    return (blocks + [rooflineText]).joined(separator: "\n\n") + "\n"
  }

  private func text(of step: Step, for terminal: Terminal) -> String {
    let profile = step.profile
    let groups = profile.groups
    let sum = groups.reduce(0) { $0 + $1.nanoseconds }
    var table = TextTable([
      "kernel", "variant", "shapes", "launches", "ms", "share", "GB/s", "GFLOP/s", "of roofline",
    ])
    func add(_ name: String, _ variant: String, _ shapes: String, _ groups: some Sequence<StepProfile.Group>)
    {
      let rate = Rate(of: groups)
      let share = rate.nanoseconds / sum
      table.add([
        name, variant, shapes, String(rate.launches), NumberText.plain(rate.nanoseconds * 1e-6, 3),
        Self.percent(share), NumberText.plain(rate.bytes / rate.nanoseconds, 3),
        rate.operations > 0 ? NumberText.plain(rate.operations / rate.nanoseconds, 3) : "-",
        Self.percent(rate.share(of: roofline)),
      ])
    }
    for group in groups.prefix(Self.lineLimit) {
      add(group.label, group.variant, group.shapes, CollectionOfOne(group))
    }
    let others = groups.dropFirst(Self.lineLimit)
    if !others.isEmpty { add("\(others.count) others", "", "", others) }
    add("all", "", "", groups)

    let updated = profile.plan.assignedParameterCount
    let purpose = updated > 0 ? ", which updates \(updated) parameter\(updated == 1 ? "" : "s")" : ""
    let title = terminal.styled("\(subject) on \(device.name), \(step.name)", .bold) + purpose
    return title + ": \(Self.milliseconds(profile.nanoseconds)) a run\n" + table.text() + "\n"
      + lines(of: profile).joined(separator: "\n")
  }

  /// What of a run is not its kernels.
  private func lines(of profile: StepProfile) -> [String] {
    let kernels = "Kernels take \(Self.milliseconds(profile.kernelNanoseconds)) together, "
    var lines: [String] = []
    if device.capabilities.interface == .host {
      lines.append(kernels + "between them pass \(Self.milliseconds(profile.gapNanoseconds)).")
    } else if profile.otherNanoseconds >= 0 {
      lines.append(
        kernels + "the rest of a run is \(Self.milliseconds(profile.otherNanoseconds)), "
          + "\(Self.percent(profile.otherNanoseconds / profile.nanoseconds)).")
    } else {
      lines.append(
        kernels + "timed one by one: \(Self.milliseconds(-profile.otherNanoseconds)) more than a run.")
    }
    if let pause = profile.pauseNanoseconds {
      lines.append("Before a run, outside of steps: \(Self.milliseconds(pause)).")
    }
    let slowdown = profile.profiledNanoseconds / profile.nanoseconds
    lines.append(
      "Medians of \(profile.runCount) run\(profile.runCount == 1 ? "" : "s") as they are and as many that time each "
        + "launch, which take \(NumberText.plain(slowdown, 3)) times as long.")
    return lines
  }

  private var rooflineText: String {
    "Roofline: \(NumberText.plain(roofline.operationsPerSecond * 1e-9, 3)) GFLOP/s by \(roofline.operationsSource), "
      + "\(NumberText.plain(roofline.bytesPerSecond * 1e-9, 3)) GB/s by \(roofline.bytesSource): the fastest measured "
      + "here, in float32."
  }

  private static func percent(_ share: Double) -> String {
    share.isFinite ? NumberText.plain(share * 100, share < 0.0995 ? 2 : 3) + "%" : "-"
  }

  private static func milliseconds(_ nanoseconds: Double) -> String {
    NumberText.plain(nanoseconds * 1e-6, 3) + " ms"
  }

  /// What kernels do together.
  private struct Rate {
    var launches = 0
    var nanoseconds = 0.0, bytes = 0.0, operations = 0.0

    init(of groups: some Sequence<StepProfile.Group>) {
      for group in groups {
        launches += group.launches
        nanoseconds += group.nanoseconds
        bytes += group.byteCount
        operations += group.operationCount
      }
    }

    func share(of roofline: Roofline) -> Double {
      roofline.share(operations: operations, bytes: bytes, nanoseconds: nanoseconds)
    }
  }

  // MARK: JSON

  /// Everything, with a member for each step of each plan.
  public var document: JSONValue {
    .object([
      .init("subject", .text(subject)), .init("device", .text(device.name)),
      .init("hardware", .text(device.capabilities.deviceName)),
      .init(
        "roofline",
        .object([
          .init("gflops", JSONValue(roofline.operationsPerSecond * 1e-9)),
          .init("gbps", JSONValue(roofline.bytesPerSecond * 1e-9)),
          .init("gflops_by", .text(roofline.operationsSource)),
          .init("gbps_by", .text(roofline.bytesSource)),
        ])),
      .init("steps", .array(steps.map(document))),
    ])
  }

  private func document(of step: Step) -> JSONValue {
    let profile = step.profile
    func milliseconds(_ nanoseconds: Double) -> JSONValue { JSONValue(nanoseconds * 1e-6) }
    return .object([
      .init("name", .text(step.name)), .init("runs", JSONValue(profile.runCount)),
      .init("parameters_updated", JSONValue(profile.plan.assignedParameterCount)),
      .init("launches", JSONValue(profile.launchCount)), .init("ms", milliseconds(profile.nanoseconds)),
      .init("submission_ms", milliseconds(profile.submissionNanoseconds)),
      .init("kernels_ms", milliseconds(profile.kernelNanoseconds)),
      .init("between_kernels_ms", milliseconds(profile.otherNanoseconds)),
      .init("gaps_ms", milliseconds(profile.gapNanoseconds)),
      .init("profiled_ms", milliseconds(profile.profiledNanoseconds)),
      .init("before_ms", profile.pauseNanoseconds.map(milliseconds) ?? .null),
      .init(
        "kernels",
        .array(
          profile.entries.map { entry in
            .object([
              .init("label", .text(entry.label)), .init("variant", .text(entry.variant)),
              .init("kernel", .text(entry.kernel)), .init("shapes", .text(entry.shapes)),
              .init("launches", JSONValue(entry.launches)), .init("ms", milliseconds(entry.nanoseconds)),
              .init("bytes", JSONValue(entry.byteCount)),
              .init("operations", entry.operationCount.map { JSONValue($0) } ?? .null),
            ])
          })),
    ])
  }
}
