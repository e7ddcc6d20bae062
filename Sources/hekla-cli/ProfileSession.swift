import Foundation
import Hekla
import HeklaCommands
import HeklaExperiments
import HeklaRecipes

/// A short run of a recipe with a profiler that watches its steps.
///
/// Everything that can be wrong with the request is found before the device is touched.
struct ProfileSession {
  let options: ProfileOptions
  var catalog = HeklaRecipes.catalog
  var environment = ProcessInfo.processInfo.environment
  var console = Console.standardError
  var makeDevice: (String) throws(DeviceError) -> any Device = { name throws(DeviceError) in
    try DeviceCatalog.shared.device(named: name)
  }

  /// Runs the recipe until a step was measured often enough, and writes what `--trace` asks for.
  /// - Throws: `ExperimentError.stopped` where the recipe ended before any step was measured.
  func run() throws -> ProfileReport {
    let recipe = try catalog.recipe(named: options.name)
    let experiment = try recipe.init(applying: options.assignments)
    let dataFolder = try RunSession.dataFolder(options.data, environment)
    if let file = options.trace { try AtomicFile.requireWritable(file) }
    let device = try makeDevice(options.device)
    console.print(
      "\(options.name) on \(device.name) (\(device.capabilities.deviceName)), seed \(options.seed)")
    let roofline = try Roofline.measured(on: device)
    let profiler = StepProfiler(runCount: options.steps)
    do {
      _ = try experiment.run(
        RunContext(device: device, seed: options.seed, dataFolder: dataFolder, profiler: profiler))
    } catch {
      // However the recipe passes it on, the end that the profiler asked for is none of its errors.
      guard profiler.hasCancelled else { throw error }
    }
    let profiles = profiler.profiles
    guard !profiles.isEmpty else {
      throw ExperimentError.stopped(
        owner: options.name,
        reason: "none of its steps ran \(profiler.warmUpCount + 2) times, the least that a profile takes")
    }
    let steps = profiles.enumerated().map { ProfileReport.Step("step \($0.offset + 1)", $0.element) }
    let report = ProfileReport(options.name, on: device, roofline: roofline, steps: steps)
    if let file = options.trace { try AtomicFile.write(report.trace.description + "\n", to: file) }
    return report
  }
}
