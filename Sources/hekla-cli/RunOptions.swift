import ArgumentParser
import Foundation

/// What `train` and `verify` take alike.
struct RunOptions: ParsableArguments {
  @Argument(help: "A recipe, as 'hekla list' names it.")
  var name: String

  @Option(help: "Where to run: cpu, vulkan:N, opencl:N, or auto for the fastest real GPU, else cpu.")
  var device = "auto"

  @Flag(help: "On GPUs: stop with an error where an index is out of range; the cpu always does.")
  var checkIndices = false

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change a setting; may be given many times.", valueName: "name=value"))
  var assignments: [String] = []

  @Option(help: "Where all randomness comes from: the same seed on the same device gives the same numbers.")
  var seed: UInt64 = 0

  @Option(help: "Train this many passes over the data.")
  var epochs: Int?

  @Option(help: "Train this many steps; with --epochs, whichever ends first.")
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "The folder with the data sets, in their original formats. (default: HEKLA_DATA)", valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Write metrics.jsonl, report.md, plots and report.json into this folder, which is made.",
      valueName: "dir"))
  var out: String?

  @Flag(help: "With --out: replace the run that is in the folder.")
  var overwrite = false

  @Option(
    help: ArgumentHelp(
      "Write one JSON object: recipe, device, seed, settings, steps, losses, metrics, seconds.",
      valueName: "file"))
  var json: String?

  func validate() throws {
    for (name, value) in [("--epochs", epochs), ("--steps", steps)] {
      if let value, value < 1 { throw ValidationError("\(name) is at least 1; \(value) was given.") }
    }
    if overwrite, out == nil {
      throw ValidationError("--overwrite replaces the run in --out, which is missing.")
    }
  }
}
