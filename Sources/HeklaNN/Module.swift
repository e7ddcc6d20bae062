import HeklaTensors

/// A part of a model: a value whose stored properties hold parameters, or modules that hold some.
///
/// Nothing is registered. `parameters()` looks through the stored properties and names each parameter by its
/// path:
///
/// ```swift
/// struct Classifier: Module {
///   var hidden: Linear
///   var output: Linear
///   func callAsFunction(_ x: Tensor) -> Tensor { output(hidden(x).relu()) }
/// }
/// ```
///
/// has the parameters `hidden.weight`, `hidden.bias`, `output.weight` and `output.bias`.
///
/// **Copies share parameters.** `Parameter` is a reference, so a copy of a module computes with the same
/// weights as the original, and training one trains both. A second, independent model is made by initializing
/// it again.
public protocol Module: Sendable {}

extension Module {
  /// Every parameter, trained or not, with its path, in the order of declaration.
  ///
  /// Looks through structs, enums, tuples, optionals, arrays (`blocks.0.weight`), dictionaries (keys sorted
  /// by their text, so that the order never changes) and classes that are modules, superclass first; sets
  /// have no order and are not searched. A parameter that is reachable by two paths, such as a tied weight,
  /// is listed once, under the first.
  public func parameters() -> [(path: String, parameter: Parameter)] {
    ModuleWalk(self).entries.map { ($0.path, $0.parameter) }
  }

  /// The parameters that an optimizer changes: all but those that are a `State`.
  public var trainableParameters: [Parameter] {
    ModuleWalk(self).entries.filter(\.isTrained).map(\.parameter)
  }

  /// The number of trained numbers.
  public var parameterCount: Int { trainableParameters.reduce(0) { $0 + $1.shape.count } }

  /// A table of the parameters, for people: path, type and shape, and count; what is not trained is marked.
  public var summary: String {
    let rows =
      ModuleWalk(self).entries.map { entry in
        let (parameter, note) = (entry.parameter, entry.isTrained ? "" : "  not trained")
        return [entry.path, "\(parameter.signature)", "\(parameter.shape.count)", note]
      } + [["total", "", "\(parameterCount)", ""]]
    let widths = (0..<3).map { column in rows.map(\.[column].count).max() ?? 0 }
    return rows.map { row in
      let padding = (0..<3).map { String(repeating: " ", count: widths[$0] - row[$0].count) }
      return row[0] + padding[0] + "  " + row[1] + padding[1] + "  " + padding[2] + row[2] + row[3]
    }.joined(separator: "\n")
  }
}
