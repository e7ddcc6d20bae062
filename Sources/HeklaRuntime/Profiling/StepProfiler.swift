import HeklaDevices
import Synchronization

/// Watches the runs of an executor's steps, whoever makes them, and profiles each step after its first runs.
///
/// A program runs as it does without, until a step has been measured often enough: the next run of any step then
/// throws `DeviceError.cancelled`, and ends a program that would train for hours. The results of all runs are what
/// they are without a profiler; runs that are measured are waited for.
public final class StepProfiler: Sendable {
  /// How a run is made.
  enum Manner { case plain, timed, profiled }

  /// How many runs of each kind a step needs, as it is and with each launch timed.
  public let runCount: Int
  /// How many runs of a step go before: drivers compile and caches fill.
  public let warmUpCount: Int
  /// When the profiling began.
  let origin = ContinuousClock.now
  private let state = Mutex(State())

  private struct Watched {
    /// Known once a run was measured: others, such as those of single values, are let go.
    var plan: Plan?
    var begun = 0
    var runs: [StepProfile.Run] = []
    var pauses: [Double] = []
  }

  private struct State {
    var steps: [Watched] = []
    var lastEnd: ContinuousClock.Instant?
    var isComplete = false
    var hasCancelled = false
  }

  /// A profiler that has seen enough of a step after `runCount` runs as it is, by turns with as many that time each
  /// launch, after `warmUpCount` others.
  public init(runCount: Int, warmUpCount: Int = 2) {
    (self.runCount, self.warmUpCount) = (max(runCount, 1), warmUpCount)
  }

  /// Whether a run was refused because enough had been seen.
  public var hasCancelled: Bool { state.withLock { $0.hasCancelled } }

  /// The profiles of the steps that were measured, in the order in which they were compiled.
  public var profiles: [StepProfile] {
    state.withLock { state in
      state.steps.compactMap { step in
        guard let plan = step.plan, step.runs.contains(where: { $0.timings != nil }) else { return nil }
        return StepProfile(plan, runs: step.runs, pauses: step.pauses)
      }
    }
  }

  /// Watches a new step from here on.
  /// - Returns: The step's number.
  func addStep() -> Int {
    state.withLock { state in
      state.steps.append(Watched())
      return state.steps.count - 1
    }
  }

  /// How the run of step `number` that begins now is to be made.
  func beginRun(of number: Int) throws(DeviceError) -> Manner {
    try state.withLock { (state) throws(DeviceError) in
      guard !state.isComplete else {
        state.hasCancelled = true
        throw .cancelled(reason: "the profiler has seen \(runCount) runs of a step.")
      }
      let begun = state.steps[number].begun
      state.steps[number].begun += 1
      guard begun >= warmUpCount else { return .plain }
      if let end = state.lastEnd { state.steps[number].pauses.append((.now - end) / .nanoseconds(1)) }
      return (begun - warmUpCount).isMultiple(of: 2) ? .timed : .profiled
    }
  }

  /// A run that is not measured has ended, or the results of one were read.
  func endRun() { state.withLock { $0.lastEnd = .now } }

  /// A run of step `number` has ended that was measured.
  func endRun(of number: Int, _ plan: Plan, _ run: StepProfile.Run) {
    state.withLock { state in
      state.steps[number].plan = plan
      state.steps[number].runs.append(run)
      let profiled = state.steps[number].runs.count { $0.timings != nil }
      if profiled >= runCount { state.isComplete = true }
      state.lastEnd = .now
    }
  }
}
