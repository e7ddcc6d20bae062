/// What one element of an array is.
///
/// `float16` and `bfloat16` are storage types: arithmetic on them happens in `float32` unless a kernel
/// says otherwise. `bool` takes one byte, 0 or 1.
public enum ElementType: String, Sendable, Hashable, Codable, CaseIterable {
  case float32, float16, bfloat16, float64
  case int32, uint32, int64
  case uint8, bool

  /// The size of one element in bytes.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16: 2
    case .uint8, .bool: 1
    }
  }

  /// Whether values are real numbers, so that gradients flow through them.
  public var isFloating: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .float64: true
    case .int32, .uint32, .int64, .uint8, .bool: false
    }
  }

  /// Whether values are whole numbers; `bool` is not.
  public var isInteger: Bool {
    switch self {
    case .int32, .uint32, .int64, .uint8: true
    case .float32, .float16, .bfloat16, .float64, .bool: false
    }
  }
}

extension ElementType: CustomStringConvertible {
  /// The type's name in code font, such as `float32`.
  public var description: String { rawValue }
}
