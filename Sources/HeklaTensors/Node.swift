import HeklaArrays
import Synchronization

/// One vertex of a computation: a primitive, its inputs, and what its result looks like. Never changes.
///
/// Nodes are numbered as they are made, so an input's number is always smaller than its user's.
public final class Node: Sendable {
  /// The operation.
  public let primitive: any Primitive
  /// What it is applied to.
  public var inputs: [Node] { links }
  /// The shape and type of the result.
  public let signature: Signature
  /// A number that grows from node to node.
  public let number: Int

  /// Changed only while the node is being freed, when nobody else can see it.
  private nonisolated(unsafe) var links: [Node]

  private static let lastNumber = Atomic<Int>(0)

  /// `primitive` on `inputs`; stops the program when they do not fit.
  public init(_ primitive: any Primitive, _ inputs: [Node]) {
    self.primitive = primitive
    links = inputs
    signature = primitive.signature(of: inputs.map(\.signature))
    number = Self.lastNumber.add(1, ordering: .relaxed).newValue
  }

  /// Frees a chain of nodes one by one; left to itself, each would free its inputs from within, and a long
  /// recurrence would exhaust the stack.
  deinit {
    var doomed = links
    links = []
    while var node = doomed.popLast() {
      if isKnownUniquelyReferenced(&node) {
        doomed += node.links
        node.links = []
      }
    }
  }

  /// The result's shape.
  public var shape: Shape { signature.shape }

  /// The result's element type.
  public var elementType: ElementType { signature.elementType }
}

extension Node: Hashable {
  /// Whether both are the same vertex.
  public static func == (left: Node, right: Node) -> Bool { left === right }

  /// Feeds the vertex's number to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

extension Node: CustomStringConvertible {
  /// The number, operation and signature, such as `%12 matrix-product float32[2, 3]`.
  public var description: String {
    let attributes = primitive.attributes
    return "%\(number) \(primitive.name)\(attributes.isEmpty ? "" : "(\(attributes))") \(signature)"
  }
}

extension Sequence where Element == Node {
  /// These nodes and all that they depend on, inputs before users.
  public func withDependencies() -> [Node] {
    var seen: Set<Node> = []
    var stack = Array(self)
    while let node = stack.popLast() {
      if seen.insert(node).inserted { stack.append(contentsOf: node.inputs) }
    }
    return seen.sorted { $0.number < $1.number }
  }
}
