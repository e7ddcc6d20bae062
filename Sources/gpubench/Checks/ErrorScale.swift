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

/// How many units of roundoff, times the sum of the terms' absolute values, a sum of `count` terms may be off by,
/// whatever the order of its additions.
///
/// No sum is off by more than `count` units (Higham 2002, section 4.2). Where roundings are as good as independent,
/// as on random numbers, it is 8 sqrt(`count`) but for a probability of 2 `count` e^-32, which for a million terms is
/// 3 in 10^8 (Higham & Mary 2019, "A new approach to probabilistic rounding error analysis", theorem 3.1 with
/// lambda = 8). Of long sums the first bound alone would allow anything.
func roundingUnits(ofSumOf count: Int) -> Double {
  min(Double(count), 8 * Double(count).squareRoot())
}
