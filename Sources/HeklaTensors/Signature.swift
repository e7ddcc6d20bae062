import HeklaArrays

/// What is known of a tensor before it has values: its shape and its element type.
public struct Signature: Hashable, Sendable, Codable {
  /// The extents, outermost first.
  public var shape: Shape
  /// What one element is.
  public var elementType: ElementType

  /// The signature of a tensor of `shape` that holds `elementType`.
  public init(_ shape: Shape, _ elementType: ElementType = .float32) {
    self.shape = shape
    self.elementType = elementType
  }

  /// The size of the elements in bytes.
  public var byteCount: Int { shape.count * elementType.byteCount }
}

extension Signature: CustomStringConvertible {
  /// Type and extents, such as `float32[2, 3]`.
  public var description: String { "\(elementType)\(shape)" }
}
