/// A Swift type that `HostArray` can be made from and read as.
public protocol ArrayElement: Sendable, Hashable, BitwiseCopyable {
  /// The element type whose bytes this Swift type has.
  static var elementType: ElementType { get }
}

extension Float: ArrayElement {
  /// `float32`.
  public static var elementType: ElementType { .float32 }
}

extension Double: ArrayElement {
  /// `float64`.
  public static var elementType: ElementType { .float64 }
}

extension Float16: ArrayElement {
  /// `float16`.
  public static var elementType: ElementType { .float16 }
}

extension BFloat16: ArrayElement {
  /// `bfloat16`.
  public static var elementType: ElementType { .bfloat16 }
}

extension Int32: ArrayElement {
  /// `int32`.
  public static var elementType: ElementType { .int32 }
}

extension UInt32: ArrayElement {
  /// `uint32`.
  public static var elementType: ElementType { .uint32 }
}

extension Int64: ArrayElement {
  /// `int64`.
  public static var elementType: ElementType { .int64 }
}

extension UInt8: ArrayElement {
  /// `uint8`.
  public static var elementType: ElementType { .uint8 }
}

extension Bool: ArrayElement {
  /// `bool`.
  public static var elementType: ElementType { .bool }
}
