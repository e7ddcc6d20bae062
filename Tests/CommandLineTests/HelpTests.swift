import ArgumentParser
import HeklaCommands
import Testing

@testable import hekla_cli

/// The help texts are an interface: a change shows here as a difference.
@Suite struct HelpTests {
  private func expectHelp(
    of command: any ParsableCommand.Type, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let help = HeklaCommand.helpMessage(for: command, includeHidden: false, columns: 80)
    #expect(trimmed(help) == text, sourceLocation: sourceLocation)
  }

  /// Without the line break at the end, which no screen shows.
  private func trimmed(_ text: String) -> String { text.hasSuffix("\n") ? String(text.dropLast()) : text }

  @Test("hekla --help names the commands, with examples and exit codes")
  func root() {
    expectHelp(
      of: HeklaCommand.self,
      """
      OVERVIEW: Trains the systems of papers on any GPU, and checks what the papers
      claim.

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

      USAGE: hekla <subcommand> [<options>]

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      SUBCOMMANDS:
        devices                 Lists the devices of this machine, and says what is
                                missing for others.
        list                    Lists the recipes: one per paper.
        show                    Prints a recipe's paper, settings and claims.
        train                   Trains a recipe and prints a report.
        verify                  Trains a recipe and checks each of its claims, with
                                the numbers.
        profile                 Trains a recipe for a few steps and says where their
                                time goes.

        See 'hekla help <subcommand>' for detailed help.
      """)
  }

  @Test("hekla devices --help describes the command and every option")
  func devices() {
    expectHelp(
      of: DevicesCommand.self,
      """
      OVERVIEW: Lists the devices of this machine, and says what is missing for
      others.

      The names in the first column are what --device takes. Software drivers run
      shaders on the processor; they are used only when named, never by --device auto.

      USAGE: hekla devices [--json]

      OPTIONS:
        --json                  Print a JSON array instead: one object per device,
                                with its capabilities or its problem.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test("hekla list --help describes the command and every option")
  func list() {
    expectHelp(
      of: ListCommand.self,
      """
      OVERVIEW: Lists the recipes: one per paper.

      The names in the first column are what show, train, verify and profile take.

      USAGE: hekla list [--json]

      OPTIONS:
        --json                  Print a JSON array instead: one object per recipe.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test("hekla show --help describes the command and every option")
  func show() {
    expectHelp(
      of: ShowCommand.self,
      """
      OVERVIEW: Prints a recipe's paper, settings and claims.

      EXAMPLES:
        hekla show lottery-ticket

      USAGE: hekla show <name>

      ARGUMENTS:
        <name>                  A recipe, as 'hekla list' names it.

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test("hekla train --help describes the command and every option")
  func train() {
    expectHelp(
      of: TrainCommand.self,
      """
      OVERVIEW: Trains a recipe and prints a report.

      EXAMPLES:
        hekla train lottery-ticket
        hekla train lottery-ticket --device vulkan:0 --seed 7 --steps 500
        hekla train lottery-ticket --set rounds=5 --set p=0.3 --out runs/short
        hekla train lottery-ticket --data ~/datasets --json result.json

      Progress goes to standard error, the report to standard output. Claims that
      fail are shown, but do not fail the command; 'hekla verify' does.

      USAGE: hekla train <name> [--device <device>] [--set <name=value>] ... [<options>]

      ARGUMENTS:
        <name>                  A recipe, as 'hekla list' names it.

      OPTIONS:
        --device <device>       Where to run: cpu, vulkan:N, opencl:N, or auto for
                                the fastest real GPU, else cpu. (default: auto)
        --check-indices         On GPUs: stop with an error where an index is out of
                                range; the cpu always does.
        --set <name=value>      Change a setting; may be given many times.
        --seed <seed>           Where all randomness comes from: the same seed on the
                                same device gives the same numbers. (default: 0)
        --epochs <epochs>       Train this many passes over the data.
        --steps <steps>         Train this many steps; with --epochs, whichever ends
                                first.
        --data <dir>            The folder with the data sets, in their original
                                formats. (default: HEKLA_DATA)
        --out <dir>             Write metrics.jsonl, report.md, plots and report.json
                                into this folder, which is made.
        --overwrite             With --out: replace the run that is in the folder.
        --json <file>           Write one JSON object: recipe, device, seed,
                                settings, steps, losses, metrics, seconds.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test("hekla verify --help describes the command and every option")
  func verify() {
    expectHelp(
      of: VerifyCommand.self,
      """
      OVERVIEW: Trains a recipe and checks each of its claims, with the numbers.

      EXAMPLES:
        hekla verify lottery-ticket
        hekla verify lottery-ticket --device opencl:0 --out runs/verified

      The default settings are the ones that the claims are made for. The exit code
      is 3 when a claim fails that is not marked as known to fail, or when the run
      measured none of them.

      USAGE: hekla verify <name> [--device <device>] [--set <name=value>] ... [<options>]

      ARGUMENTS:
        <name>                  A recipe, as 'hekla list' names it.

      OPTIONS:
        --device <device>       Where to run: cpu, vulkan:N, opencl:N, or auto for
                                the fastest real GPU, else cpu. (default: auto)
        --check-indices         On GPUs: stop with an error where an index is out of
                                range; the cpu always does.
        --set <name=value>      Change a setting; may be given many times.
        --seed <seed>           Where all randomness comes from: the same seed on the
                                same device gives the same numbers. (default: 0)
        --epochs <epochs>       Train this many passes over the data.
        --steps <steps>         Train this many steps; with --epochs, whichever ends
                                first.
        --data <dir>            The folder with the data sets, in their original
                                formats. (default: HEKLA_DATA)
        --out <dir>             Write metrics.jsonl, report.md, plots and report.json
                                into this folder, which is made.
        --overwrite             With --out: replace the run that is in the folder.
        --json <file>           Write one JSON object: recipe, device, seed,
                                settings, steps, losses, metrics, seconds.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }

  @Test("hekla profile --help describes the command, the table and every option")
  func profile() {
    expectHelp(
      of: ProfileCommand.self,
      """
      OVERVIEW: Trains a recipe for a few steps and says where their time goes.

      EXAMPLES:
        hekla profile dagnn
        hekla profile lottery-ticket --device vulkan:0 --steps 5
        hekla profile nested-seg --set batch=2 --trace nested-seg.json
        hekla profile pfn --device cpu --json

      The recipe trains as it always does. Each step runs twice to warm up, then by
      turns as it is, which tells how long a run takes, and with each launch timed on
      its own, which tells what of that is kernels; the latter runs take longer. When
      a step has had --steps runs of each kind, the recipe is stopped.

      TABLE: a line for kernels of one kind and shapes, largest array read -> largest
      written. GB/s counts every array that a kernel reads or writes once, GFLOP/s
      the operations of the task, whatever the kernel does. 'of roofline' is the
      least time that either would take at the rates in the last line, as a share of
      the time taken; what lies in a cache can be above 100%.

      JSON: subject, device, hardware, roofline, and steps with all launches of each;
      times are in milliseconds.

      USAGE: hekla profile <name> [--device <device>] [--set <name=value>] ... [<options>]

      ARGUMENTS:
        <name>                  A recipe, as 'hekla list' names it.

      OPTIONS:
        --device <device>       Where to run: cpu, vulkan:N, opencl:N, or auto for
                                the fastest real GPU, else cpu. (default: auto)
        --set <name=value>      Change a setting; may be given many times.
        --seed <seed>           Where all randomness comes from: the same seed on the
                                same device gives the same numbers. (default: 0)
        --steps <steps>         Stop when a step was run so often as it is, and as
                                often with each launch timed. (default: 10)
        --data <dir>            The folder with the data sets, in their original
                                formats. (default: HEKLA_DATA)
        --trace <file>          Write the runs as a trace that ui.perfetto.dev and
                                chrome://tracing show.
        --json                  Print one JSON object to standard output instead of
                                tables.
        --version               Show the version.
        -h, --help              Show help information.
      """)
  }
}
