import ArgumentParser
import Foundation
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

      EXIT CODES:
        0  done
        1  the work failed while it ran
        2  bad input: an option, name, setting, file or folder
        3  a claim failed, or none could be checked
      """,
    version: "0.1.0",
    subcommands: [
      DevicesCommand.self, ListCommand.self, ShowCommand.self, TrainCommand.self, VerifyCommand.self,
    ])

  /// Runs the command and ends the process.
  static func main() {
    Console.eraseOnInterrupt()
    Foundation.exit(execute(Array(CommandLine.arguments.dropFirst())))
  }

  /// Runs the command that `arguments` spell, prints what went wrong, and returns the exit code.
  static func execute(_ arguments: [String]) -> Int32 {
    if let message = unknownCommand(arguments.first) {
      return ExitReport(code: ExitReport.badInput, message: "Error: \(message)").send()
    }
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return 0
    } catch {
      return ExitReport(of: error).send()
    }
  }

  /// What to say when `word` stands where a command should and is none; the parser would only call it unexpected.
  private static func unknownCommand(_ word: String?) -> String? {
    let known = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let word, !word.hasPrefix("-"), word != "help", !known.contains(word) else { return nil }
    return "There is no command '\(word)'.\(NearestNames(to: word, among: known).question) "
      + "The commands are \(known.joined(separator: ", ")); 'hekla --help' describes them."
  }
}
