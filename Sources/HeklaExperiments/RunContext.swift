import Foundation
import Hekla

/// What a run gets from outside: the device, the seed, how long to train, where data and results lie.
public struct RunContext: Sendable {
  /// How long to train, where the person who runs it says so.
  public struct Limits: Sendable, Equatable {
    /// The number of passes over the data, or nil for what the experiment chooses.
    public var epochs: Int?
    /// The number of training steps, or nil for what the experiment chooses.
    public var steps: Int?

    /// Training ends after `epochs` passes or `steps` steps, whichever comes first.
    public init(epochs: Int? = nil, steps: Int? = nil) {
      self.epochs = epochs
      self.steps = steps
    }

    /// The number of steps to train.
    ///
    /// - Parameters:
    ///   - steps: What the experiment chooses; counts where the person chose neither steps nor epochs.
    ///   - stepsPerEpoch: The steps of one pass over the data.
    public func stepCount(_ steps: Int, stepsPerEpoch: Int) -> Int {
      // A product too large for the type is no limit.
      let byEpochs = epochs.map { $0.multipliedReportingOverflow(by: stepsPerEpoch) }
        .map { $0.overflow ? Int.max : $0.partialValue }
      return [self.steps, byEpochs].compactMap(\.self).min() ?? steps
    }
  }

  /// Where it runs.
  public let device: any Device
  /// How its steps are compiled.
  public let compilerOptions: CompilerOptions
  /// Where all randomness comes from.
  public let seed: UInt64
  /// How long to train.
  public let limits: Limits
  /// The folder with the data sets, or nil where none was given.
  public let dataFolder: URL?
  /// The folder that the results go to, or nil where none was asked for.
  public let output: RunFolder?
  /// Where messages and progress go.
  public let console: Console
  /// What watches the runs of its steps; nil for nobody.
  public let profiler: StepProfiler?
  /// What was measured, where steps are compiled by it.
  private let tuned: TunedVariants?
  private let start = ContinuousClock.now

  /// A context for one run; its clock starts now.
  public init(
    device: any Device, compilerOptions: CompilerOptions = CompilerOptions(), seed: UInt64 = 0,
    limits: Limits = Limits(), dataFolder: URL? = nil,
    output: RunFolder? = nil, console: Console = .silent, profiler: StepProfiler? = nil
  ) {
    self.device = device
    self.compilerOptions = compilerOptions
    self.seed = seed
    self.limits = limits
    self.dataFolder = dataFolder
    self.output = output
    self.console = console
    self.profiler = profiler
    tuned =
      compilerOptions.tuning == .cached ? TunedVariants(TuningCache(for: device.capabilities)) : nil
  }

  /// An executor on the run's device that compiles as the person asked.
  public func makeExecutor() throws(DeviceError) -> PlanExecutor {
    try PlanExecutor(device, options: compilerOptions, profiler: profiler, tuned: tuned)
  }

  /// The random key of the run's seed.
  public var key: RandomKey { RandomKey(seed: seed) }

  /// The seconds since the run began.
  public var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// The folder with the data sets.
  ///
  /// - Parameters:
  ///   - owner: Who needs it, for the message.
  ///   - contents: What is read from it, such as `the four MNIST files`.
  /// - Throws: `ExperimentError.dataFolderNeeded` where none was given.
  public func requiredDataFolder(for owner: String, contents: String) throws(ExperimentError) -> URL {
    guard let dataFolder else { throw .dataFolderNeeded(owner: owner, contents: contents) }
    return dataFolder
  }

  /// A bar that shows how far `total` steps have come.
  public func progress(_ label: String, total: Int) -> ProgressBar {
    ProgressBar(label, total: total, console: console)
  }

  /// Trains for `count` steps with a bar; each hundredth leaves a line in the output, with its mean loss.
  ///
  /// - Parameters:
  ///   - name: What is trained, for the bar and the lines.
  ///   - experiment: Whose training it is.
  ///   - count: The number of steps.
  ///   - step: Makes a step, counted from 0, and gives its loss.
  /// - Returns: The losses of the steps.
  /// - Throws: `ExperimentError.stopped` at a loss that is not finite.
  public func train<Run: Experiment>(
    _ name: String, of experiment: Run.Type, steps count: Int, step: (Int) throws -> Double
  ) throws -> [Double] {
    let progress = progress("\(Run.name) \(name)", total: count)
    defer { progress.finish() }
    var losses: [Double] = []
    for number in 0..<count {
      losses.append(try Run.finite(try step(number), of: "\(name) at step \(number)"))
      progress.advance(to: number + 1, loss: losses[number])
      guard losses.count.isMultiple(of: 100) else { continue }
      try output?.append([
        .init("training", .text(name)), .init("step", JSONValue(losses.count)),
        .init("loss", JSONValue(losses.suffix(100).reduce(0, +) / 100)),
      ])
    }
    return losses
  }

  /// The record of `experiment`'s run, which took `losses.count` steps and ends now.
  public func record<Run: Experiment>(
    of experiment: Run, losses: [Double], metrics: Metrics
  ) throws(ExperimentError) -> RunRecord {
    RunRecord(
      recipe: Run.name, device: device.name, seed: seed, settings: try experiment.settings().document,
      losses: losses, metrics: metrics, seconds: seconds, tunedVariants: tuned?.choices)
  }
}
