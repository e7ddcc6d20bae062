import ArgumentParser
import HeklaCommands
import HeklaExperiments
import HeklaRecipes

/// `hekla show NAME`.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Prints a recipe's paper, settings and claims.",
    discussion: """
      EXAMPLES:
        hekla show lottery-ticket
      """)

  @Argument(help: "A recipe, as 'hekla list' names it.")
  var name: String

  func run() throws {
    print(try Self.text(of: try catalog.recipe(named: name), for: .standardOutput))
  }

  static func text(of recipe: any Experiment.Type, for terminal: Terminal) throws -> String {
    let width = max(40, terminal.columns)
    var blocks = [terminal.styled(recipe.name, .bold) + "\n" + recipe.paper.citation(width: width)]
    if let address = recipe.paper.address { blocks[0] += "\n" + address }
    var settings = TextTable(["setting", "default", "takes", "meaning"])
    for setting in try recipe.init().settings().list {
      settings.add([setting.name, setting.valueText, setting.kindText, setting.note ?? ""])
    }
    if !settings.isEmpty { blocks.append(settings.text(width: width)) }
    var claims = TextTable(["", ""])
    for (index, claim) in recipe.claims.enumerated() {
      let failure = claim.failure.map { " Known to fail: \($0)." } ?? ""
      claims.add(["\(index + 1).", "\(claim.statement) (\(claim.source)).\(failure)"])
    }
    if !claims.isEmpty { blocks.append("claims\n" + claims.text(width: width, margin: "  ")) }
    return blocks.joined(separator: "\n\n")
  }
}
