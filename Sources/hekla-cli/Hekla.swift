import ArgumentParser
import Foundation
import HeklaCommands
import HeklaExperiments

/// The command `hekla`: trains what papers describe and checks what they claim.
@main
struct HeklaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hekla",
    abstract: "Trains the systems of papers on any GPU, and checks what the papers claim.",
    usage: "hekla <subcommand> [<options>]",
    discussion: """
      EXAMPLES:
        hekla devices
        hekla show lottery-ticket
        hekla train lottery-ticket --device vulkan:0
        hekla verify lottery-ticket --device cpu
        hekla profile lottery-ticket --device cpu

      EXIT CODES:
        0  done
        1  the work failed while it ran
        2  bad input: an option, name, setting, file or folder
        3  a claim failed, or none could be checked
      """,
    version: "0.1.0",
    subcommands: [
      DevicesCommand.self, ListCommand.self, ShowCommand.self, TrainCommand.self, VerifyCommand.self,
      ProfileCommand.self,
    ])

  /// Runs the command and ends the process.
  static func main() {
    Console.eraseOnInterrupt()
    Foundation.exit(
      execute(Array(CommandLine.arguments.dropFirst()), reportingErrorsAs: ExitReport.init(of:)))
  }
}
