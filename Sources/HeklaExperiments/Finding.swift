/// What checking a claim found: the verdict and the numbers it rests on.
public struct Finding: Sendable, Equatable {
  /// Whether the claim holds.
  public enum Verdict: Sendable, Equatable {
    case holds
    case fails
    /// The named metrics were not measured, for instance because the setting does not reach them.
    case notMeasured([String])
  }

  /// Whether the claim holds.
  public let verdict: Verdict
  /// The comparisons with their numbers.
  public let numbers: String

  /// The finding that a comparison of two quantities gives; NaN never holds.
  init(_ left: Quantity, _ sign: String, _ right: Quantity, holds: (Double, Double) -> Bool) {
    numbers = "\(left.fullText) \(sign) \(right.fullText)"
    if let first = left.value, let second = right.value {
      verdict = holds(first, second) ? .holds : .fails
    } else {
      verdict = .notMeasured(left.missing + right.missing)
    }
  }

  private init(_ verdict: Verdict, _ numbers: String) {
    self.verdict = verdict
    self.numbers = numbers
  }

  /// Whether both hold; one that fails decides, even where the other was not measured.
  public static func && (left: Finding, right: Finding) -> Finding {
    let verdict: Verdict =
      switch (left.verdict, right.verdict) {
      case (.fails, _), (_, .fails): .fails
      case (.notMeasured(let first), .notMeasured(let second)): .notMeasured(first + second)
      case (.notMeasured(let names), .holds), (.holds, .notMeasured(let names)): .notMeasured(names)
      case (.holds, .holds): .holds
      }
    return Finding(verdict, "\(left.numbers) and \(right.numbers)")
  }

  /// Whether at least one holds; one that holds decides, even where the other was not measured.
  public static func || (left: Finding, right: Finding) -> Finding {
    let verdict: Verdict =
      switch (left.verdict, right.verdict) {
      case (.holds, _), (_, .holds): .holds
      case (.notMeasured(let first), .notMeasured(let second)): .notMeasured(first + second)
      case (.notMeasured(let names), .fails), (.fails, .notMeasured(let names)): .notMeasured(names)
      case (.fails, .fails): .fails
      }
    return Finding(verdict, "\(left.numbers) or \(right.numbers)")
  }
}
