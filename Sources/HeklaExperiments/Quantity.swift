/// A number computed from metrics that remembers how, so that a claim's text cannot disagree with its check.
public struct Quantity: Sendable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// The number, or nil where a metric it needs was not measured.
  public let value: Double?
  /// The formula with the metrics' names and numbers.
  public let text: String
  /// The metrics that were not measured.
  public let missing: [String]
  /// Whether the text is a sum, which a product has to put in parentheses.
  private let isSum: Bool
  /// Whether the text says more than the value, so that the value is worth printing beside it.
  private let isFormula: Bool

  private init(
    _ value: Double?, _ text: String, missing: [String], isSum: Bool = false, isFormula: Bool = false
  ) {
    self.value = value
    self.text = text
    self.missing = missing
    self.isSum = isSum
    self.isFormula = isFormula
  }

  /// The metric `name` of `metrics`.
  init(metric name: String, of metrics: Metrics) {
    let value = metrics[name]
    self.init(
      value, value.map { "\(name) \(NumberText.short($0))" } ?? name, missing: value == nil ? [name] : [])
  }

  /// The number itself.
  public init(_ value: Double) { self.init(value, NumberText.short(value), missing: []) }

  /// The number itself.
  public init(floatLiteral value: Double) { self.init(value) }

  /// The number itself.
  public init(integerLiteral value: Int) { self.init(Double(value)) }

  /// The sum.
  public static func + (left: Quantity, right: Quantity) -> Quantity {
    combine(left, right, "\(left.text) + \(right.text)", isSum: true, by: +)
  }

  /// The difference.
  public static func - (left: Quantity, right: Quantity) -> Quantity {
    combine(left, right, "\(left.text) - \(right.factorText)", isSum: true, by: -)
  }

  /// The product.
  public static func * (left: Quantity, right: Quantity) -> Quantity {
    combine(left, right, "\(left.factorText) * \(right.factorText)", by: *)
  }

  /// The quotient.
  public static func / (left: Quantity, right: Quantity) -> Quantity {
    combine(left, right, "\(left.factorText) / (\(right.text))", by: /)
  }

  /// The distance from zero.
  public var magnitude: Quantity {
    Quantity(value.map(abs), "|\(text)|", missing: missing, isFormula: isFormula)
  }

  /// Whether left is less than right.
  public static func < (left: Quantity, right: Quantity) -> Finding { Finding(left, "<", right, holds: <) }

  /// Whether left is at most right.
  public static func <= (left: Quantity, right: Quantity) -> Finding { Finding(left, "<=", right, holds: <=) }

  /// Whether left is more than right.
  public static func > (left: Quantity, right: Quantity) -> Finding { Finding(left, ">", right, holds: >) }

  /// Whether left is at least right.
  public static func >= (left: Quantity, right: Quantity) -> Finding { Finding(left, ">=", right, holds: >=) }

  /// Whether both are the same number.
  public static func == (left: Quantity, right: Quantity) -> Finding { Finding(left, "=", right, holds: ==) }

  /// The formula, and what it comes to where that is not plain.
  var fullText: String {
    guard isFormula, let value else { return text }
    return "\(text) = \(NumberText.short(value))"
  }

  private var factorText: String { isSum ? "(\(text))" : text }

  private static func combine(
    _ left: Quantity, _ right: Quantity, _ text: String, isSum: Bool = false,
    by operation: (Double, Double) -> Double
  ) -> Quantity {
    var value: Double?
    if let first = left.value, let second = right.value { value = operation(first, second) }
    return Quantity(value, text, missing: left.missing + right.missing, isSum: isSum, isFormula: true)
  }
}
