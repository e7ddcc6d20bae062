/// The upper half of a `Float`: 8 exponent bits, 7 mantissa bits.
///
/// A storage format. Convert to `Float` to compute.
public struct BFloat16: Sendable, Hashable, BitwiseCopyable {
  /// Sign, exponent and mantissa, as the upper 16 bits of a `Float` have them.
  public var bitPattern: UInt16

  /// The number whose bits are `bitPattern`.
  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// `value` rounded to the nearest representable number, ties to even; NaN stays NaN.
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
    } else {
      let roundingBias = 0x7FFF + ((bits >> 16) & 1)
      bitPattern = UInt16(truncatingIfNeeded: (bits &+ roundingBias) >> 16)
    }
  }

  /// The same number as a `Float`, exactly.
  public var floatValue: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}
