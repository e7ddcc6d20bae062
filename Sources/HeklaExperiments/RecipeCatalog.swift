/// Recipes by name.
public struct RecipeCatalog: Sendable {
  /// The recipes, sorted by name.
  public let recipes: [any Experiment.Type]

  /// The catalog of `recipes`.
  public init(_ recipes: [any Experiment.Type]) { self.recipes = recipes.sorted { $0.name < $1.name } }

  /// The names, sorted.
  public var names: [String] { recipes.map { $0.name } }

  /// The recipe `name`.
  ///
  /// - Throws: `ExperimentError.unknownRecipe`, with the nearest names.
  public func recipe(named name: String) throws(ExperimentError) -> any Experiment.Type {
    guard let recipe = recipes.first(where: { $0.name == name }) else {
      throw .unknownRecipe(name, known: names)
    }
    return recipe
  }
}
