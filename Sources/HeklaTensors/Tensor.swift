import HeklaArrays

/// A value handle on a computation: numbers in an array that may not have been computed yet.
///
/// Operations build the graph; nothing runs until a compiled step or a runtime asks for values. Shapes are
/// known as the graph is built, and a wrong one stops the program there, naming the operation and the shapes.
public struct Tensor: Sendable {
  /// The vertex that computes this tensor.
  public let node: Node

  /// The result of `node`.
  public init(_ node: Node) { self.node = node }

  init(_ primitive: any Primitive, _ inputs: [Tensor]) { node = Node(primitive, inputs.map(\.node)) }

  /// A constant.
  public init(_ array: HostArray) { node = Node(Leaf.constant(array), []) }

  /// A constant of rank 1.
  public init<Element: ArrayElement>(_ elements: [Element]) { self.init(HostArray(elements)) }

  /// A constant of `shape`, from elements in row-major order.
  public init<Element: ArrayElement>(_ elements: [Element], shape: Shape) {
    self.init(HostArray(elements, shape: shape))
  }

  /// The values given as argument `position` at each run of a step.
  public static func input(_ position: Int, _ signature: Signature) -> Tensor {
    Tensor(Node(Leaf.input(position, signature), []))
  }

  /// `value` everywhere.
  public static func full(_ shape: Shape, _ value: Double, _ elementType: ElementType = .float32) -> Tensor {
    Tensor(Map(.constant(value, elementType), shape: shape, elementType: elementType), [])
  }

  /// 0 everywhere.
  public static func zeros(_ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
    .full(shape, 0, elementType)
  }

  /// 1 everywhere.
  public static func ones(_ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
    .full(shape, 1, elementType)
  }

  /// At each point the coordinate along `axis`, an `int32`.
  public static func coordinates(_ shape: Shape, along axis: Int) -> Tensor {
    Tensor(Map(.coordinate(shape.normalized(axis: axis)), shape: shape), [])
  }

  /// 0, 1, ..., `count` - 1, as `int32`.
  public static func range(_ count: Int) -> Tensor { .coordinates([count], along: 0) }

  /// The extents, outermost first.
  public var shape: Shape { node.shape }

  /// The number of axes.
  public var rank: Int { shape.rank }

  /// What one element is.
  public var elementType: ElementType { node.elementType }

  /// Shape and element type.
  public var signature: Signature { node.signature }
}

extension Tensor: CustomStringConvertible {
  /// What the tensor is, not its values, which may not have been computed.
  public var description: String { "Tensor(\(node))" }
}
