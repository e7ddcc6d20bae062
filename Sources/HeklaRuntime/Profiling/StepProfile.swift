import HeklaDevices

/// Where the time of a compiled step goes, launch by launch.
///
/// Ordinary runs say how long a run takes; between them, runs that time each launch on its own say what of that is
/// kernels. Those take longer as a whole: the launches wait for each other, with timestamps between them on Vulkan and
/// a wait of the host on OpenCL. All numbers are medians over the runs.
public struct StepProfile: Sendable {
  /// One run of the step, in nanoseconds of the host's clock.
  public struct Run: Sendable {
    /// Its beginning, after that of the profiling.
    public let start: Double
    /// The time until it was submitted: its arguments are written, its launches handed to the driver. The host runs
    /// them then and there.
    public let submission: Double
    /// The time until everything had run.
    public let whole: Double
    /// The launches and copies in order, of a run that timed each; else nil.
    public let timings: [CommandTiming]?

    init(start: Duration, submission: Duration, whole: Duration, timings: [CommandTiming]?) {
      (self.start, self.submission) = (start / .nanoseconds(1), submission / .nanoseconds(1))
      (self.whole, self.timings) = (whole / .nanoseconds(1), timings)
    }
  }

  /// What a step of the plan, or a copy after the last, takes in one run, with all its repetitions.
  public struct Entry: Sendable {
    /// What is computed; `copy` for the copies into parameters.
    public let label: String
    /// Which of several ways.
    public let variant: String
    /// The kernel's name.
    public let kernel: String
    /// The largest array that is read and the largest that is written.
    public let shapes: String
    /// How often it is launched.
    public let launches: Int
    /// The time of all its launches.
    public let nanoseconds: Double
    /// The bytes that all its launches read and write; see `Plan.Step.byteCount`.
    public let byteCount: Double
    /// The floating-point operations of all its launches; see `Plan.Step.operationCount`.
    public let operationCount: Double?
  }

  /// Entries alike: of one label, variant and shapes.
  public struct Group: Sendable {
    /// What is computed.
    public let label: String
    /// Which of several ways.
    public let variant: String
    /// The kernels' names, in the order in which they first run.
    public let kernels: [String]
    /// The largest array that is read and the largest that is written.
    public let shapes: String
    /// How often they are launched.
    public let launches: Int
    /// The time of all launches.
    public let nanoseconds: Double
    /// The bytes that all launches read and write.
    public let byteCount: Double
    /// The floating-point operations of all launches; 0 where there are none or nobody knows.
    public let operationCount: Double
  }

  /// What was run.
  public let plan: Plan
  /// The runs, in order.
  public let runs: [Run]
  /// The steps of the plan in order, then the copies.
  public let entries: [Entry]
  /// The time of an ordinary run that is waited for, from writing its arguments to the end of its last launch.
  public let nanoseconds: Double
  /// The time until an ordinary run is submitted.
  public let submissionNanoseconds: Double
  /// The time of a run that times its launches, as the host sees it.
  public let profiledNanoseconds: Double
  /// The time of all launches and copies of a run together. Of uneven runs it is more than that of `entries`, each of
  /// which is the median of its own times.
  public let kernelNanoseconds: Double
  /// The time from the end of one launch to the beginning of the next, over a run that times its launches.
  public let gapNanoseconds: Double
  /// The time from the end of the run before, of any step, to the beginning of a run of this one; nil where unknown.
  public let pauseNanoseconds: Double?

  /// The profile of `runs` of `plan`, at least one of which timed its launches and one did not.
  init(_ plan: Plan, runs: [Run], pauses: [Double] = []) {
    (self.plan, self.runs) = (plan, runs)
    let ordinary = runs.filter { $0.timings == nil }
    let profiled = runs.compactMap(\.timings)
    nanoseconds = ordinary.map(\.whole).median
    submissionNanoseconds = ordinary.map(\.submission).median
    profiledNanoseconds = runs.filter { $0.timings != nil }.map(\.whole).median
    pauseNanoseconds = pauses.isEmpty ? nil : pauses.median
    kernelNanoseconds = profiled.map { $0.reduce(0) { $0 + $1.nanoseconds } }.median
    gapNanoseconds =
      profiled.map { timings in
        zip(timings, timings.dropFirst()).reduce(0) { $0 + $1.1.start - $1.0.start - $1.0.nanoseconds }
      }.median

    let order = plan.launchedSteps
    var launches = [Int](repeating: 0, count: plan.steps.count)
    for step in order { launches[step] += 1 }
    // For each run the time of each step, and after them of each copy.
    let times = profiled.map { timings in
      var times = [Double](repeating: 0, count: plan.steps.count + plan.copies.count)
      for (index, timing) in timings.enumerated() {
        let place = index < order.count ? order[index] : plan.steps.count + index - order.count
        times[place] += timing.nanoseconds
      }
      return times
    }
    func time(_ place: Int) -> Double { times.map { $0[place] }.median }
    let steps = plan.steps.enumerated().map { number, step in
      Entry(
        label: step.label, variant: step.variant, kernel: step.source.name, shapes: step.shapes,
        launches: launches[number], nanoseconds: time(number),
        byteCount: step.byteCount * Double(launches[number]),
        operationCount: step.operationCount.map { $0 * Double(launches[number]) })
    }
    let copies = plan.copies.enumerated().map { number, copy in
      Entry(
        label: "copy", variant: "copy", kernel: "copy", shapes: "", launches: 1,
        nanoseconds: time(plan.steps.count + number),
        byteCount: 2 * Double(plan.values[copy.value].signature.byteCount), operationCount: 0)
    }
    entries = steps + copies
  }

  /// What of an ordinary run is no kernel: the host's work, the driver's, and waiting.
  ///
  /// Less than 0 where launches that are timed on their own take longer than they do side by side.
  public var otherNanoseconds: Double { nanoseconds - kernelNanoseconds }

  /// The number of launches and copies of a run.
  public var launchCount: Int { entries.reduce(0) { $0 + $1.launches } }

  /// The runs of each kind; where one more was ordinary than timed, the lesser number.
  public var runCount: Int { min(runs.count { $0.timings != nil }, runs.count { $0.timings == nil }) }

  /// The entries by what they do, those that take longest first.
  public var groups: [Group] {
    var places: [[String]: Int] = [:]
    var parts: [[Entry]] = []
    for entry in entries {
      let key = [entry.label, entry.variant, entry.shapes]
      if let place = places[key] {
        parts[place].append(entry)
      } else {
        places[key] = parts.count
        parts.append([entry])
      }
    }
    let groups = parts.map { entries in
      Group(
        label: entries[0].label, variant: entries[0].variant,
        kernels: entries.reduce(into: []) { if !$0.contains($1.kernel) { $0.append($1.kernel) } },
        shapes: entries[0].shapes, launches: entries.reduce(0) { $0 + $1.launches },
        nanoseconds: entries.reduce(0) { $0 + $1.nanoseconds },
        byteCount: entries.reduce(0) { $0 + $1.byteCount },
        operationCount: entries.reduce(0) { $0 + ($1.operationCount ?? 0) })
    }
    return groups.enumerated()
      .sorted { ($1.element.nanoseconds, $0.offset) < ($0.element.nanoseconds, $1.offset) }.map(\.element)
  }
}
