/// A type whose elements can be sorted by whole numbers.
protocol OrderKeyed: BitwiseCopyable, Sendable {
  /// Ascends with the element; the greatest for NaN, equal for -0 and 0.
  var orderKey: UInt64 { get }
  /// Whether it is after all others in both directions.
  var isUnordered: Bool { get }
  /// How many low bits of keys differ.
  static var keyBits: Int { get }
}

extension OrderKeyed {
  /// The key in the wanted direction.
  @inline(__always)
  func key(descending: Bool) -> UInt64 {
    let greatest = UInt64.max >> UInt64(64 - Self.keyBits)
    if isUnordered { return greatest }
    return descending ? greatest - orderKey : orderKey
  }
}

// The bits of a float ascend with it where it is positive and descend where it is negative.
// Source: Herf, "Radix tricks", 2001.

extension Float: OrderKeyed {
  var orderKey: UInt64 {
    let bits = (self == 0 ? 0 : self).bitPattern
    return UInt64(bits >> 31 == 1 ? ~bits : bits | 0x8000_0000)
  }
  var isUnordered: Bool { isNaN }
  static var keyBits: Int { 32 }
}

extension Double: OrderKeyed {
  var orderKey: UInt64 {
    let bits = (self == 0 ? 0 : self).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }
  var isUnordered: Bool { isNaN }
  static var keyBits: Int { 64 }
}

extension Int32: OrderKeyed {
  var orderKey: UInt64 { UInt64(UInt32(bitPattern: self) ^ 0x8000_0000) }
  var isUnordered: Bool { false }
  static var keyBits: Int { 32 }
}

extension UInt32: OrderKeyed {
  var orderKey: UInt64 { UInt64(self) }
  var isUnordered: Bool { false }
  static var keyBits: Int { 32 }
}

extension Int64: OrderKeyed {
  var orderKey: UInt64 { UInt64(bitPattern: self) ^ 1 << 63 }
  var isUnordered: Bool { false }
  static var keyBits: Int { 64 }
}

/// The element types that sorts and scans take, by the number that their parameters give.
enum OrderedKind {
  /// Calls `body` with type `number`: float32, int32, uint32, float64, int64.
  static func dispatch<Result, Failure: Error>(
    _ number: Int, _ body: (any (OrderKeyed & ScanElement).Type) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch number {
    case 1: try body(Int32.self)
    case 2: try body(UInt32.self)
    case 3: try body(Double.self)
    case 4: try body(Int64.self)
    default: try body(Float.self)
    }
  }
}
