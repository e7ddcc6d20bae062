import Foundation

/// Numbers as people read them.
package enum NumberText {
  /// Four significant digits, in the C locale.
  package static func short(_ value: Double) -> String { digits(value, 4) }

  /// At most `count` significant digits, in the C locale.
  package static func digits(_ value: Double, _ count: Int) -> String {
    if value.isNaN { return "NaN" }
    return String(format: "%.\(count)g", value)
  }

  /// At least `count` significant digits and never an exponent, for columns of numbers to compare.
  package static func plain(_ value: Double, _ count: Int) -> String {
    guard value.isFinite, value != 0 else { return digits(value, count) }
    let whole = Int(log10(abs(value)).rounded(.down)) + 1
    return String(format: "%.\(min(max(count - whole, 0), 12))f", value)
  }

  /// A rate with at most three digits and a prefix, such as `1.25k`.
  package static func rate(_ value: Double) -> String {
    for (limit, suffix) in [(1e6, "M"), (1e3, "k")] where value >= limit {
      return digits(value / limit, 3) + suffix
    }
    return digits(value, 3)
  }

  /// A time as `0:07`, `12:30` or `3:05:00`.
  package static func time(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "-:--" }
    let whole = Int(max(0, seconds).rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0
      ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
  }
}
