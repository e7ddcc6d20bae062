import Foundation

/// What one method measures less what another does under the same conditions, such as seeds, one number per pair.
public struct PairedDifferences: Sendable, Equatable {
  /// The differences.
  public let values: [Double]

  /// These differences.
  public init(_ values: [Double]) { self.values = values }

  /// Their mean; NaN where there are none.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }

  /// How far the mean of all pairs that there could be lies from the mean of these, at most, with a confidence of 0.95;
  /// nil for fewer than two pairs.
  ///
  /// Student's interval: pairs are taken for independent, and their differences for normal.
  public var radius: Double? {
    guard values.count > 1 else { return nil }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let variance = squares / Double(values.count - 1) / Double(values.count)
    return Self.quantile(degreesOfFreedom: values.count - 1) * variance.squareRoot()
  }

  /// The number that Student's t exceeds with probability 0.025.
  ///
  /// Source: Abramowitz & Stegun 1964, table 26.10 for up to 10 degrees, expansion 26.7.5 from there on, which is off by
  /// less than 1e-4.
  static func quantile(degreesOfFreedom: Int) -> Double {
    let table = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281]
    if degreesOfFreedom <= table.count { return table[max(degreesOfFreedom, 1) - 1] }
    let (x, n) = (1.959964, Double(degreesOfFreedom))
    let terms = [
      (pow(x, 3) + x) / 4, (5 * pow(x, 5) + 16 * pow(x, 3) + 3 * x) / 96,
      (3 * pow(x, 7) + 19 * pow(x, 5) + 17 * pow(x, 3) - 15 * x) / 384,
    ]
    return x + terms[0] / n + terms[1] / (n * n) + terms[2] / (n * n * n)
  }
}
