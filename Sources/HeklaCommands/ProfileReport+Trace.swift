import HeklaDevices
import HeklaRuntime
import HeklaText

extension ProfileReport {
  /// The measured runs in the Trace Event format, which Perfetto (ui.perfetto.dev) and `chrome://tracing` show.
  ///
  /// One row is the host: the submission of each run, then its waiting. One row is the device: each launch of the runs
  /// that time them, with what it reads, writes and computes. Of devices with a clock of their own, the first launch of
  /// a run is put where the host has submitted the run. Times are in microseconds.
  /// Source: "Trace Event Format", Google, section "Complete Events".
  public var trace: JSONValue {
    let rows = ["host", device.name]
    let names: [JSONValue] =
      [Self.metadata("process_name", row: 0, "\(subject) on \(device.name)")]
      + rows.enumerated().map { Self.metadata("thread_name", row: $0.offset, $0.element) }
    // Of events that begin together the longer comes first, as what contains the other.
    let events = steps.flatMap(Self.events).enumerated().sorted { left, right in
      let (a, b) = (left.element, right.element)
      return (a.start, -a.duration, left.offset) < (b.start, -b.duration, right.offset)
    }
    return .object([
      .init("traceEvents", .array(names + events.map(\.element.document))),
      .init("displayTimeUnit", .text("ms")),
    ])
  }

  /// A stretch of time in one row, in nanoseconds.
  private struct Event {
    var name: String
    var row: Int
    var start, duration: Double
    var arguments: [JSONValue.Member]

    var document: JSONValue {
      func microseconds(_ nanoseconds: Double) -> JSONValue { JSONValue(nanoseconds.rounded() / 1000) }
      return .object([
        .init("name", .text(name)), .init("cat", .text(row == 0 ? "host" : "kernel")),
        .init("ph", .text("X")), .init("ts", microseconds(start)),
        .init("dur", microseconds(max(duration, 0))),
        .init("pid", JSONValue(1)), .init("tid", JSONValue(row)), .init("args", .object(arguments)),
      ])
    }
  }

  private static func metadata(_ kind: String, row: Int, _ name: String) -> JSONValue {
    .object([
      .init("name", .text(kind)), .init("ph", .text("M")), .init("pid", JSONValue(1)),
      .init("tid", JSONValue(row)), .init("args", .object([.init("name", .text(name))])),
    ])
  }

  private static func events(of step: Step) -> [Event] {
    let (profile, order) = (step.profile, step.profile.plan.launchedSteps)
    return profile.runs.flatMap { run in
      let submitted = run.start + run.submission
      let parts = [
        ("submit", run.start, run.submission),
        (run.timings == nil ? "wait" : "time each launch", submitted, run.whole - run.submission),
      ]
      let host = parts.map { name, start, duration in
        Event(
          name: "\(name): \(step.name)", row: 0, start: start, duration: duration,
          arguments: [.init("step", .text(step.name))])
      }
      let launches = (run.timings ?? []).enumerated().map { number, timing in
        Event(
          name: timing.label, row: 1, start: submitted + timing.start, duration: timing.nanoseconds,
          arguments: [.init("step", .text(step.name))]
            + (number < order.count ? arguments(of: profile.plan.steps[order[number]]) : []))
      }
      return host + launches
    }
  }

  private static func arguments(of step: Plan.Step) -> [JSONValue.Member] {
    [
      .init("kernel", .text(step.source.name)), .init("variant", .text(step.variant)),
      .init("shapes", .text(step.shapes)), .init("bytes", JSONValue(step.byteCount)),
      .init("operations", step.operationCount.map { JSONValue($0) } ?? .null),
    ]
  }
}
