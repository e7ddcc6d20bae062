import ArgumentParser
import Testing

@testable import gpubench

/// The help texts are an interface: a change shows here as a difference.
@Suite struct GPUBenchHelpTests {
  private func help(of command: any ParsableCommand.Type) -> String {
    let text = GPUBenchCommand.helpMessage(for: command, includeHidden: false, columns: 80)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  @Test("gpubench --help names the commands, with examples and exit codes")
  func root() {
    #expect(
      help(of: GPUBenchCommand.self) == """
@@ROOT@@
        """)
  }

  @Test("gpubench list --help says what a sample and a variant are")
  func list() {
    #expect(
      help(of: ListCommand.self) == """
@@LIST@@
        """)
  }

  @Test("gpubench run --help says how shapes are read, and how time and error are measured")
  func run() {
    #expect(
      help(of: RunCommand.self) == """
@@RUN@@
        """)
  }
}
