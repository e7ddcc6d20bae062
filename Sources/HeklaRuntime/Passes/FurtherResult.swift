import HeklaTensors

/// A further result of an operation, whichever vertex stands for it.
struct FurtherResult: Hashable {
  private let main: Node
  private let index: Int

  /// What `node` stands for; nil where it is no further result.
  init?(_ node: Node) {
    guard case .secondary(let index) = node.primitive.lowering else { return nil }
    (main, self.index) = (node.inputs[0], index)
  }
}
