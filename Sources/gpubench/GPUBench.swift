import ArgumentParser
import Foundation
import HeklaCommands

/// The command `gpubench`: measures kernels and training steps on a device, each beside its check.
@main
struct GPUBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpubench",
    abstract: "Measures the kernels and training steps of a device, and checks what they compute.",
    usage: "gpubench <subcommand> [<options>]",
    discussion: """
      EXAMPLES:
        gpubench devices
        gpubench list
        gpubench run matmul --device vulkan:0 --shape 2048x2048x2048 --variant all
        gpubench run reduce --device cpu --json
        gpubench step transformer --device cpu
        gpubench tune matmul --device vulkan:0 --shape 2048x2048x2048

      EXIT CODES:
        0  done, and every result was right
        1  a result was wrong, or the work failed while it ran
        2  bad input: a case, step, device, shape, type, variant or option
      """,
    version: "0.1.0",
    subcommands: [
      DevicesCommand.self, ListCommand.self, RunCommand.self, StepCommand.self, TuneCommand.self,
    ])

  /// Runs the command and ends the process.
  static func main() {
    Foundation.exit(
      execute(Array(CommandLine.arguments.dropFirst()), reportingErrorsAs: ExitReport.init(ofBenchmark:)))
  }
}

extension ExitReport {
  /// The end that an error of a benchmark means.
  init(ofBenchmark error: any Error) {
    if let error = error as? BenchmarkError {
      self.init(code: Self.badInput, message: "Error: \(error)")
    } else {
      self.init(of: error, in: GPUBenchCommand.self)
    }
  }
}
