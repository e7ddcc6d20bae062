import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors

/// Trains by one step on one device, and measures it: first, in its course, and once more from the same seed.
struct StepRun {
  let device: any Device
  /// How many steps are timed; about a second's worth, at least ten, where nil.
  var stepCount: Int?
  /// The examples of a step; the step's own where nil.
  var batchSize: Int?
  /// Whether commands are recorded once; otherwise anew for each step.
  var replays = true

  private static let clock = ContinuousClock()
  /// Steps between the first and those that are timed.
  private static let warmUpCount = 2

  /// Trains by `step`, twice.
  func result(of step: TrainingStep) throws -> StepResult {
    // The data is there, and the driver loaded, before memory is looked at; models are not made until compiled.
    let training = try step.training(key: RandomKey(seed: 1), batchSize: batchSize)
    let executor = try PlanExecutor(device, options: options)
    ProcessStatus.resetPeak()
    let resident = ProcessStatus.residentByteCount

    let compiled = try compile(training, by: executor)
    let run = Run(step: compiled, batches: training.batches, isHost: device.capabilities.interface == .host)
    let firstLoss = try run.loss(of: 0)
    let firstMilliseconds = ProcessStatus.millisecondsSinceStart

    var start = Self.clock.now
    for number in 1...Self.warmUpCount {
      start = Self.clock.now
      try compiled.submit(run.batch(number))
      try compiled.waitUntilIdle()
    }
    let single = max((Self.clock.now - start) / .milliseconds(1), 0.001)
    let count = stepCount ?? max(10, min(10_000, Int(1000 / single)))
    let times = try run.times(
      of: count, from: Self.warmUpCount + 1,
      blockOf: run.isHost ? 1 : max(1, min(count / 3, Int(20 / single))))
    // Of the first batch again, so that the two losses compare.
    let lastLoss = try run.loss(of: 0)
    let peak = ProcessStatus.peakResidentByteCount

    let launchCount = compiled.plan.launchedSteps.count
    try executor.reset(training.parameters)
    let again = try run.losses(afterSteps: Self.warmUpCount + count)
    return StepResult(
      step: step.name, device: device.name, medianMilliseconds: times.median,
      firstMilliseconds: firstMilliseconds,
      peakByteCount: peak.flatMap { peak in resident.map { max(0, peak - $0) } },
      plannedByteCount: compiled.plan.arenaByteCounts.reduce(0, +)
        + compiled.plan.parameters.reduce(0) { $0 + $1.signature.byteCount },
      launchCount: launchCount,
      hostTime: try run.hostTime(of: max(count, 3), launchCount: launchCount),
      firstLoss: firstLoss, lastLoss: lastLoss,
      isRepeatable: again.first.bitPattern == firstLoss.bitPattern
        && again.last.bitPattern == lastLoss.bitPattern)
  }

  /// What `step` spends its time on: as many runs as are timed, or ten, as it is and launch by launch.
  func profile(of step: TrainingStep) throws -> StepProfile {
    let training = try step.training(key: RandomKey(seed: 1), batchSize: batchSize)
    let profiler = StepProfiler(runCount: stepCount ?? 10, warmUpCount: Self.warmUpCount)
    let compiled = try compile(
      training, by: PlanExecutor(device, options: options, profiler: profiler))
    var number = 0
    do {
      while true {
        try compiled.submit(training.batches[number % training.batches.count])
        number += 1
      }
    } catch {
      // The profiler has seen enough.
      guard profiler.hasCancelled, let profile = profiler.profiles.first else { throw error }
      return profile
    }
  }

  private var options: CompilerOptions {
    var options = CompilerOptions()
    options.replays = replays
    return options
  }

  private func compile(_ training: Training, by executor: PlanExecutor) throws -> CompiledStep {
    try executor.compile(inputs: training.inputs) { batch in
      let (loss, assignments) = training.describe(batch)
      return StepDescription(outputs: [loss], assignments: assignments)
    }
  }

  /// A compiled step with the batches that it is given in turn.
  private struct Run {
    let step: CompiledStep
    let batches: [[HostArray]]
    /// Whether submitting is running.
    let isHost: Bool

    /// The arguments of step `number`.
    func batch(_ number: Int) -> [HostArray] { batches[number % batches.count] }

    /// Trains by a step on batch `number`, and reads its loss.
    func loss(of number: Int) throws -> Float { try step.run(batch(number))[0].elements(as: Float.self)[0] }

    /// Milliseconds of a step, one for each block of `count` steps from number `first` on.
    ///
    /// Between blocks the device is waited for. Where a step takes little time, a block has several, as a trainer
    /// does not wait either.
    func times(of count: Int, from first: Int, blockOf size: Int) throws -> [Double] {
      var times: [Double] = []
      for block in stride(from: 0, to: count, by: size) {
        let start = StepRun.clock.now
        let end = min(block + size, count)
        for number in block..<end { try step.submit(batch(first + number)) }
        try step.waitUntilIdle()
        times.append((StepRun.clock.now - start) / .milliseconds(1) / Double(end - block))
      }
      return times
    }

    /// The losses of a whole training with `count` steps between the first and the last.
    func losses(afterSteps count: Int) throws -> (first: Float, last: Float) {
      let first = try loss(of: 0)
      for number in 1...count { try step.submit(batch(number)) }
      return (first, try loss(of: 0))
    }

    /// What `count` steps cost the host, each submitted to a device that is idle and has its batch; the next batch
    /// is handed over while it is under way.
    func hostTime(of count: Int, launchCount: Int) throws -> HostTime {
      var (submissions, walls, uploads) = ([Double](), [Double](), [Double]())
      try step.upload(batch(0))
      for number in 1...count {
        try step.waitUntilIdle()
        let start = HostMoment.now
        let launches = isHost ? try step.timedReplay().reduce(0) { $0 + $1.nanoseconds * 1e-3 } : 0
        if !isHost { try step.replay() }
        let (wall, processor) = start.elapsed
        walls.append(wall - launches)
        submissions.append(isHost ? wall - launches : processor)

        let submitted = HostMoment.now
        try step.upload(batch(number))
        uploads.append(submitted.elapsed.wallMicroseconds)
      }
      try step.waitUntilIdle()
      return HostTime(
        microsecondsPerLaunch: submissions.median / Double(max(launchCount, 1)),
        wallMicrosecondsPerLaunch: walls.median / Double(max(launchCount, 1)),
        uploadMicroseconds: uploads.median)
    }
  }
}
