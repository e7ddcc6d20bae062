import ArgumentParser
import HeklaCommands
import HeklaExperiments
import HeklaRecipes

/// `hekla list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Lists the recipes: one per paper.",
    discussion: "The names in the first column are what show, train, verify and profile take.")

  @Flag(help: "Print a JSON array instead: one object per recipe.")
  var json = false

  func run() {
    print(json ? Self.document(of: catalog).indented : Self.text(of: catalog, for: .standardOutput))
  }

  static func text(of catalog: RecipeCatalog, for terminal: Terminal) -> String {
    var table = TextTable(["recipe", "year", "paper"])
    for recipe in catalog.recipes { table.add([recipe.name, String(recipe.paper.year), recipe.paper.title]) }
    return table.isEmpty
      ? "This build has no recipes." : table.text(width: terminal.isInteractive ? terminal.columns : nil)
  }

  static func document(of catalog: RecipeCatalog) -> JSONValue {
    .array(
      catalog.recipes.map { recipe in
        .object([
          .init("name", .text(recipe.name)),
          .init("title", .text(recipe.paper.title)),
          .init("authors", .text(recipe.paper.authors)),
          .init("year", JSONValue(recipe.paper.year)),
          .init("id", .text(recipe.paper.id)),
        ])
      })
  }
}
