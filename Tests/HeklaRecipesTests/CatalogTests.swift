import Foundation
import HeklaExperiments
import HeklaRecipes
import Testing

@Suite struct CatalogTests {
  /// The names of the types that the module's files declare as experiments or recipes.
  private func declaredTypes() throws -> Set<String> {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appendingPathComponent("Sources/HeklaRecipes")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var types: Set<String> = []
    for case let file as URL in try #require(files) where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: #/(?m)^(?:public )?struct (\w+): .*\b(?:Experiment|Recipe)\b/#) {
        types.insert(String(match.1))
      }
    }
    return types
  }

  @Test("the catalog lists exactly the recipes that the folder holds")
  func completeness() throws {
    #expect(Set(catalog.recipes.map { String(describing: $0) }) == (try declaredTypes()))
  }

  @Test("no two recipes share a name, and names are fit for a command line")
  func names() {
    #expect(Set(catalog.names).count == catalog.names.count)
    for name in catalog.names { #expect(name.wholeMatch(of: #/[a-z0-9]+(-[a-z0-9]+)*/#) != nil, "\(name)") }
  }

  @Test("every recipe has a paper, claims with sources, and notes about settings that it has")
  func facts() throws {
    for recipe in catalog.recipes {
      #expect(!recipe.paper.title.isEmpty && !recipe.paper.id.isEmpty, "\(recipe.name)")
      #expect(!recipe.claims.isEmpty, "\(recipe.name)")
      #expect(recipe.claims.allSatisfy { !$0.source.isEmpty }, "\(recipe.name)")
      let names = try recipe.init().settings().names
      #expect(Set(recipe.settingNotes.keys).isSubset(of: names), "\(recipe.name)")
    }
  }

  @Test("every recipe's settings survive the way through their document")
  func settings() throws {
    for recipe in catalog.recipes {
      let settings = try recipe.init().settings()
      #expect(try settings.decoded(as: recipe).settings() == settings, "\(recipe.name)")
    }
  }
}
