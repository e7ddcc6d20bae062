import ArgumentParser
import HeklaCommands
import HeklaExperiments

/// `hekla verify NAME`.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Trains a recipe and checks each of its claims, with the numbers.",
    usage: "hekla verify <name> [--device <device>] [--set <name=value>] ... [<options>]",
    discussion: """
      EXAMPLES:
        hekla verify lottery-ticket
        hekla verify lottery-ticket --device opencl:0 --out runs/verified

      The default settings are the ones that the claims are made for. The exit code is 3 when a claim fails \
      that is not marked as known to fail, or when the run measured none of them.
      """)

  @OptionGroup var options: RunOptions

  func run() throws {
    let report = try RunSession(options: options).run()
    print(report.text(for: .standardOutput, hasMetrics: false), terminator: "")
    guard report.isVerified else { throw ExitCode(ExitReport.claimFailed) }
  }
}
