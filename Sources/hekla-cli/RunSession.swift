import Foundation
import Hekla
import HeklaExperiments
import HeklaRecipes

/// One run of a recipe from the command line, from checking what was asked for to writing what came out.
///
/// Everything that can be wrong with the request is found before the device is touched, and everything that
/// can be wrong with the outputs before training begins.
struct RunSession {
  let options: RunOptions
  var catalog = HeklaRecipes.catalog
  var environment = ProcessInfo.processInfo.environment
  var console = Console.standardError
  var makeDevice: (String) throws(DeviceError) -> any Device = { name throws(DeviceError) in
    try DeviceCatalog.shared.device(named: name)
  }

  /// Runs the recipe and writes what `--out` and `--json` ask for.
  func run() throws -> Report {
    let recipe = try catalog.recipe(named: options.name)
    let experiment = try recipe.init(applying: options.assignments)
    let dataFolder = try Self.dataFolder(options.data, environment)
    if let file = options.json { try AtomicFile.requireWritable(file) }
    let device = try makeDevice(options.device)
    let output = try options.out.map { path throws(ExperimentError) in
      try RunFolder(path, isOverwriting: options.overwrite)
    }
    do {
      console.print(
        "\(options.name) on \(device.name) (\(device.capabilities.deviceName)), seed \(options.seed)")
      var compilerOptions = CompilerOptions()
      if options.checkIndices { compilerOptions.checksIndices = true }
      let record = try experiment.run(
        RunContext(
          device: device, compilerOptions: compilerOptions, seed: options.seed,
          limits: .init(epochs: options.epochs, steps: options.steps), dataFolder: dataFolder, output: output,
          console: console))
      let report = Report(record, of: recipe)
      try output?.write(report)
      if let file = options.json { try AtomicFile.write(record.jsonText, to: file) }
      return report
    } catch {
      output?.discardIfEmpty()
      throw error
    }
  }

  /// The folder that `option`, of `--data`, else `HEKLA_DATA` names.
  static func dataFolder(
    _ option: String?, _ environment: [String: String]
  ) throws(ExperimentError) -> URL? {
    let given = option ?? environment["HEKLA_DATA"].flatMap { $0.isEmpty ? nil : $0 }
    guard let given else { return nil }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: given, isDirectory: &isFolder), isFolder.boolValue else {
      throw .noDataFolder(path: given)
    }
    return URL(fileURLWithPath: given, isDirectory: true)
  }
}
