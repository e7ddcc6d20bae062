import ArgumentParser
import HeklaCommands
import HeklaExperiments

/// `hekla train NAME`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a recipe and prints a report.",
    usage: "hekla train <name> [--device <device>] [--set <name=value>] ... [<options>]",
    discussion: """
      EXAMPLES:
        hekla train lottery-ticket
        hekla train lottery-ticket --device vulkan:0 --seed 7 --steps 500
        hekla train lottery-ticket --set rounds=5 --set p=0.3 --out runs/short
        hekla train lottery-ticket --data ~/datasets --json result.json

      Progress goes to standard error, the report to standard output. Claims that fail are shown, but do \
      not fail the command; 'hekla verify' does.
      """)

  @OptionGroup var options: RunOptions

  func run() throws {
    let report = try RunSession(options: options).run()
    print(report.text(for: .standardOutput), terminator: "")
  }
}
