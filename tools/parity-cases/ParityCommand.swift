import ArgumentParser
import Foundation
import HeklaCommands
import HeklaRuntime

/// The command `parity-cases`, a part of `tools/parity`: computes operations on arrays that a peer has chosen.
@main
struct ParityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parity-cases",
    abstract: "Computes the cases of a folder on a device; a part of tools/parity.",
    discussion: """
      Each case is a folder, named as the case is, with the files argument-N.npy and, for what no gradient is asked \
      of, constant-N.npy, N counting both; upstream-N.npy is what the gradient of output N is multiplied with. What \
      comes of it are output-N.npy and gradient-N.npy, or error.txt, the text of an error.
      """)

  @Flag(help: "Print the names of all cases instead, one a line.")
  var list = false

  @Option(help: "The device: cpu, vulkan:N or opencl:N.")
  var device = "cpu"

  @Argument(help: "The folder of all cases.")
  var folder = "."

  @Argument(help: "The cases to compute.")
  var names: [String] = []

  func run() throws {
    let table = CaseTable.all
    if list {
      for name in table.names { print(name) }
      return
    }
    if let unknown = names.first(where: { table[$0] == nil }) {
      throw ValidationError("There is no case '\(unknown)'. Add it to a file in tools/parity-cases/Cases.")
    }
    let runner = CaseRunner(executor: try PlanExecutor(DeviceCatalog.shared.device(named: device)))
    for name in names {
      guard let body = table[name] else { continue }
      // Told before it starts, so that who reads knows which case ended the process.
      FileHandle.standardOutput.write(Foundation.Data("\(name)\n".utf8))
      try runner.run(body, in: folder + "/" + name)
    }
  }

  /// Runs the command and ends the process.
  static func main() {
    Foundation.exit(
      execute(Array(CommandLine.arguments.dropFirst())) { ExitReport(of: $0, in: ParityCommand.self) })
  }
}
