import HeklaTensors

/// A part of a model: a value whose stored properties hold parameters, or modules that hold some.
///
/// Nothing is registered. `parameters()` looks through the stored properties and names each parameter by its path:
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
/// **Copies share parameters.** `Parameter` is a reference, so a copy of a module computes with the same weights
/// as the original, and training one trains both. A second, independent model is made by initializing it again.
public protocol Module: Sendable {}

extension Module {
  /// Every parameter, trained or not, with its path, in the order of declaration.
  ///
  /// Looks through structs, enums, tuples, optionals, arrays (`blocks.0.weight`), dictionaries (keys sorted by
  /// their text, so that the order never changes) and classes that are modules, superclass first; sets have no
  /// order and are not searched. A parameter that is reachable by two paths, such as a tied weight, is listed
  /// once, under the first.
  public func parameters() -> [(path: String, parameter: Parameter)] {
    ModuleWalk(self).entries.map { ($0.path, $0.parameter) }
  }

  /// The parameters that an optimizer changes: all but those that are a `State`.
  public var trainableParameters: [Parameter] {
    ModuleWalk(self).entries.filter(\.isTrained).map(\.parameter)
  }

  /// The number of trained numbers.
  public var parameterCount: Int { trainableParameters.reduce(0) { $0 + $1.shape.count } }

  /// A table of the parameters for people: path, shape and count of each, what is not trained marked, and the total.
  public var summary: String {
    let entries = ModuleWalk(self).entries
    var rows = entries.map { entry in
      let note = entry.isTrained ? "" : "  not trained"
      return (entry.path, "\(entry.parameter.signature)", "\(entry.parameter.shape.count)", note)
    }
    rows.append(("total", "", "\(parameterCount)", ""))
    func width(_ column: (String, String, String)) -> (Int, Int, Int) {
      (column.0.count, column.1.count, column.2.count)
    }
    let widths = rows.map { width(($0.0, $0.1, $0.2)) }.reduce((0, 0, 0)) { widest, row in
      (max(widest.0, row.0), max(widest.1, row.1), max(widest.2, row.2))
    }
    func padding(_ text: String, to width: Int) -> String {
      String(repeating: " ", count: width - text.count)
    }
    return rows.map { path, signature, count, note in
      path + padding(path, to: widths.0) + "  " + signature + padding(signature, to: widths.1) + "  "
        + padding(count, to: widths.2) + count + note
    }.joined(separator: "\n")
  }
}
