import ArgumentParser
import Foundation

/// What `profile` takes.
struct ProfileOptions: ParsableArguments {
  @Argument(help: "A recipe, as 'hekla list' names it.")
  var name: String

  @Option(help: "Where to run: cpu, vulkan:N, opencl:N, or auto for the fastest real GPU, else cpu.")
  var device = "auto"

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Change a setting; may be given many times.", valueName: "name=value"))
  var assignments: [String] = []

  @Option(help: "Where all randomness comes from: the same seed on the same device gives the same numbers.")
  var seed: UInt64 = 0

  @Option(help: "Stop when a step was run so often as it is, and as often with each launch timed.")
  var steps = 10

  @Option(
    help: ArgumentHelp(
      "The folder with the data sets, in their original formats. (default: HEKLA_DATA)", valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Write the runs as a trace that ui.perfetto.dev and chrome://tracing show.", valueName: "file"))
  var trace: String?

  @Flag(help: "Print one JSON object to standard output instead of tables.")
  var json = false

  func validate() throws {
    if steps < 1 { throw ValidationError("--steps is at least 1; \(steps) was given.") }
  }
}
