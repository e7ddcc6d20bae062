import Foundation
import Testing

/// The command as a person starts it: its text, its streams, its exit codes.
@Suite struct CommandTests {
  private func hekla(
    _ arguments: String..., environment: [String: String] = [:]
  ) throws -> BuiltCommand.Outcome {
    try BuiltCommand("hekla")(arguments, environment: environment)
  }

  private func expectBadInput(
    _ outcome: BuiltCommand.Outcome, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.code == 2, sourceLocation: sourceLocation)
    #expect(outcome.output == "", sourceLocation: sourceLocation)
    #expect(outcome.errors == text + "\n", sourceLocation: sourceLocation)
  }

  @Test("help goes to standard output and ends well")
  func help() throws {
    for arguments in [["--help"], ["help", "train"], ["train", "--help"]] {
      let outcome = try hekla(arguments[0], arguments.last ?? "--help")
      #expect(outcome.code == 0)
      #expect(outcome.output.hasPrefix("OVERVIEW: "))
      #expect(outcome.errors == "")
    }
  }

  @Test("a command that does not exist is answered with the nearest one")
  func unknownCommand() throws {
    expectBadInput(
      try hekla("trian", "lottery-ticket"),
      "Error: There is no command 'trian'. Did you mean 'train'? "
        + "The commands are devices, list, show, train, verify, profile; 'hekla --help' describes them.")
  }

  @Test("a mistyped option is answered with the nearest one")
  func unknownOption() throws {
    expectBadInput(
      try hekla("train", "x", "--sed", "3"),
      """
      Error: Unknown option '--sed'. Did you mean '--set'?
      Usage: hekla train <name> [--device <device>] [--set <name=value>] ... [<options>]
        See 'hekla train --help' for more information.
      """)
  }

  @Test("a missing name and a bad number say what belongs there")
  func badArguments() throws {
    let missing = try hekla("verify")
    #expect(missing.code == 2)
    #expect(missing.errors.hasPrefix("Error: Missing expected argument '<name>'"))
    let number = try hekla("train", "x", "--seed", "a")
    #expect(number.code == 2)
    #expect(number.errors.hasPrefix("Error: The value 'a' is invalid for '--seed <seed>'"))
    let steps = try hekla("train", "x", "--steps", "0")
    #expect(steps.code == 2)
    #expect(steps.errors.hasPrefix("Error: --steps is at least 1; 0 was given."))
    let overwrite = try hekla("train", "x", "--overwrite")
    #expect(overwrite.code == 2)
    #expect(overwrite.errors.hasPrefix("Error: --overwrite replaces the run in --out, which is missing."))
  }

  @Test(
    "an unknown recipe is bad input for every command that takes one",
    arguments: ["show", "train", "verify", "profile"])
  func unknownRecipe(command: String) throws {
    let outcome = try hekla(command, "no-such-recipe")
    #expect(outcome.code == 2)
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("Error: There is no recipe 'no-such-recipe'. "))
  }

  @Test("lists as JSON are JSON", arguments: ["devices", "list"])
  func json(command: String) throws {
    let outcome = try hekla(command, "--json")
    #expect(outcome.code == 0)
    #expect(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) is [[String: Any]])
  }

  @Test("nothing is coloured in a pipe")
  func colors() throws {
    for command in ["devices", "list"] {
      #expect(try !hekla(command, environment: ["TERM": "xterm-256color"]).output.contains("\u{1B}"))
    }
  }
}
