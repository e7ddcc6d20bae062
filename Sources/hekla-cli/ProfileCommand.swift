import ArgumentParser
import HeklaCommands
import HeklaExperiments

/// `hekla profile NAME`.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Trains a recipe for a few steps and says where their time goes.",
    usage: "hekla profile <name> [--device <device>] [--set <name=value>] ... [<options>]",
    discussion: """
      EXAMPLES:
        hekla profile dagnn
        hekla profile lottery-ticket --device vulkan:0 --steps 5
        hekla profile nested-seg --set batch=2 --trace nested-seg.json
        hekla profile pfn --device cpu --json

      The recipe trains as it always does. Each step runs twice to warm up, then by turns as it is, which tells how \
      long a run takes, and with each launch timed on its own, which tells what of that is kernels; the latter runs \
      take longer. When a step has had --steps runs of each kind, the recipe is stopped.

      TABLE: a line for kernels of one kind and shapes, largest array read -> largest written. GB/s counts every \
      array that a kernel reads or writes once, GFLOP/s the operations of the task, whatever the kernel does. 'of \
      roofline' is the least time that either would take at the rates in the last line, as a share of the time \
      taken; what lies in a cache can be above 100%.

      JSON: subject, device, hardware, roofline, and steps with all launches of each; times are in milliseconds.
      """)

  @OptionGroup var options: ProfileOptions

  func run() throws {
    let report = try ProfileSession(options: options).run()
    if options.json {
      print(report.document.indented)
    } else {
      print(report.text(for: .standardOutput), terminator: "")
    }
  }
}
