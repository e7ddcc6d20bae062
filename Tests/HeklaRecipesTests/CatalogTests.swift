import Foundation
import HeklaExperiments
import HeklaRecipes
import Testing

@Suite struct CatalogTests {
  /// The texts of the module's files.
  private func sources() throws -> [String] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = root.appendingPathComponent("Sources/HeklaRecipes")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
      .map { try String(contentsOf: $0, encoding: .utf8) }
  }

  /// The names of the types that the module's files declare as experiments or recipes.
  private func declaredTypes() throws -> Set<String> {
    Set(
      try sources().flatMap { text in
        text.matches(of: #/(?m)^(?:public )?struct (\w+): .*\b(?:Experiment|Recipe)\b/#).map { String($0.1) }
      })
  }

  @Test("the catalog lists exactly the recipes that the folder holds")
  func completeness() throws {
    #expect(Set(catalog.recipes.map { String(describing: $0) }) == (try declaredTypes()))
  }

  @Test("every recipe compiles as the command line asks: none makes an executor but by its context")
  func executors() throws {
    let texts = try sources()
    #expect(texts.contains { $0.contains(".makeExecutor()") })
    for text in texts { #expect(!text.contains("PlanExecutor("), "\(text.prefix(200))") }
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
