import HeklaArrays

/// The largest of many errors, each in units of what its element may be off by.
struct LargestError {
  private(set) var value = 0.0

  /// Compares an element with its reference.
  ///
  /// - Parameter allowed: What rounding alone may cause; 0 where the element must be exact. A NaN, which an element
  ///   that was never written is, counts as infinitely wrong.
  mutating func compare(_ element: Double, with reference: Double, allowing allowed: Double) {
    guard element != reference else { return }
    let error = abs(element - reference) / allowed
    value = error.isNaN ? .infinity : max(value, error)
  }
}

extension ElementType {
  /// The unit roundoff of arithmetic on elements of this type: 2^-53 for `float64`, else that of `float32`, which
  /// also narrower types are computed in.
  var arithmeticRoundoff: Double { self == .float64 ? 0x1p-53 : 0x1p-24 }

  /// How far storing `value` as this type may move it from what `arithmeticRoundoff` already covers.
  ///
  /// Twice the unit roundoff, because Vulkan lets a device round either way ("Rounding and denormalized values"), and
  /// the least normal number, because a device may flush smaller ones to zero.
  func storageError(at value: Double) -> Double {
    switch self {
    case .float16: 0x1p-10 * abs(value) + 0x1p-14
    case .bfloat16: 0x1p-7 * abs(value) + 0x1p-126
    case .float64: 0x1p-1022
    default: 0x1p-126
    }
  }
}
