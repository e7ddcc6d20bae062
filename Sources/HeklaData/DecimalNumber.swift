/// A number as text spells it.
struct DecimalNumber {
  /// The nearest `Double`; infinite where the number is too large for one.
  let value: Double
  /// Whether the text says infinity, so that an infinite value is what it means.
  let isSpelledInfinite: Bool

  /// The number that the bytes in `range` spell, or nil where anything but one number stands there.
  ///
  /// Digits that make a whole number up to 2^53, with a power of ten up to 22, take the short path of Clinger
  /// 1990, "How to read floating point numbers accurately": both are exact as `Double`, so that one rounding
  /// remains. The rest goes to the standard library.
  init?(in bytes: [UInt8], at range: Range<Int>) {
    var offset = range.lowerBound
    let end = range.upperBound
    var isNegative = false
    if offset < end, bytes[offset] == UInt8(ascii: "-") || bytes[offset] == UInt8(ascii: "+") {
      isNegative = bytes[offset] == UInt8(ascii: "-")
      offset += 1
    }
    let magnitudeStart = offset
    var significand: UInt64 = 0
    var digitCount = 0
    var pointCount = 0
    var fractionDigitCount = 0
    var isExact = true
    while offset < end {
      let byte = bytes[offset]
      if byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") {
        digitCount += 1
        fractionDigitCount += pointCount
        if significand <= (1 << 53) / 10 - 1 {
          significand = significand * 10 + UInt64(byte - UInt8(ascii: "0"))
        } else {
          isExact = false
        }
      } else if byte == UInt8(ascii: "."), pointCount == 0 {
        pointCount = 1
      } else {
        break
      }
      offset += 1
    }
    if digitCount == 0 {
      guard pointCount == 0, spellsInfinity(bytes[magnitudeStart..<end]) else { return nil }
      value = isNegative ? -.infinity : .infinity
      isSpelledInfinite = true
      return
    }
    var exponent = 0
    if offset < end, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      offset += 1
      var sign = 1
      if offset < end, bytes[offset] == UInt8(ascii: "-") || bytes[offset] == UInt8(ascii: "+") {
        sign = bytes[offset] == UInt8(ascii: "-") ? -1 : 1
        offset += 1
      }
      let digits = bytes[offset..<end]
      guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
        return nil
      }
      // Beyond a million every exponent means the same, and the standard library reads the text itself.
      exponent = sign * digits.reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), 1_000_000) }
      offset = end
    }
    guard offset == end else { return nil }
    let power = exponent - fractionDigitCount
    if isExact, let scale = exactPowers.indices.contains(abs(power)) ? exactPowers[abs(power)] : nil {
      let magnitude = power < 0 ? Double(significand) / scale : Double(significand) * scale
      value = isNegative ? -magnitude : magnitude
    } else {
      guard let nearest = Double(String(decoding: bytes[range], as: UTF8.self)) else { return nil }
      value = nearest
    }
    isSpelledInfinite = false
  }
}

/// The powers of ten that `Double` holds exactly, 10^0 to 10^22.
private let exactPowers: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
  1e19,
  1e20, 1e21, 1e22,
]

/// Whether `text` is `inf` or `infinity` in any case.
private func spellsInfinity(_ text: ArraySlice<UInt8>) -> Bool {
  let lowercase = text.map { $0 | 0x20 }
  return lowercase.elementsEqual("inf".utf8) || lowercase.elementsEqual("infinity".utf8)
}
