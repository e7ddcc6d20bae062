import ArgumentParser
import HeklaText

extension ParsableCommand {
  /// What to say when `word` stands where a subcommand should and is none; the parser would only call it unexpected.
  public static func unknownSubcommandMessage(_ word: String?) -> String? {
    let known = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let word, !word.hasPrefix("-"), word != "help", !known.contains(word) else { return nil }
    return "There is no command '\(word)'.\(NearestNames(to: word, among: known).question) "
      + "The commands are \(known.joined(separator: ", ")); '\(configuration.commandName ?? "") --help' describes them."
  }

  /// Runs the subcommand that `arguments` spell, prints what went wrong, and returns the exit code.
  ///
  /// - Parameters:
  ///   - arguments: What was typed after the command's own name.
  ///   - report: What an error of this command means.
  public static func execute(
    _ arguments: [String], reportingErrorsAs report: (any Error) -> ExitReport
  ) -> Int32 {
    if let message = unknownSubcommandMessage(arguments.first) {
      return ExitReport(code: ExitReport.badInput, message: "Error: \(message)").send()
    }
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return 0
    } catch {
      return report(error).send()
    }
  }
}
