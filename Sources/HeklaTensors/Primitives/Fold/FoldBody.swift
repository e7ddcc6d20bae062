import HeklaArrays
import Synchronization

/// What a fold does in each step: a graph that is closed, so that it can be planned by itself.
public final class FoldBody: Sendable {
  /// Tells bodies apart.
  public let number: Int
  /// What a step is given, as leaves.
  public let slots: [Node]
  /// What a step leaves: the next states, then the outputs.
  public let results: [Node]
  /// Intermediate results that are costly to compute again.
  let residuals: [Node]

  private static let lastNumber = Atomic<Int>(0)

  /// The body that computes `results` from `slots` and nothing else.
  init(slots: [Node], results: [Node]) {
    number = Self.lastNumber.add(1, ordering: .relaxed).newValue
    self.slots = slots
    self.results = results
    let known = Set(results)
    residuals = results.withDependencies().filter { node in
      switch node.primitive.lowering {
      case .kernels, .fold: !known.contains(node)
      case .secondary:
        if case .repeated = node.inputs[0].primitive.lowering { false } else { !known.contains(node) }
      // A fold inside is folded again: its own results are kept step by step.
      case .repeated, .leaf, .map, .movement: false
      }
    }
  }

  /// Closes the graph of `results`, which may use anything besides `slots`: what does not change from step to step
  /// is computed outside and becomes a slot of its own.
  ///
  /// - Returns: The body, whose slots are `slots` and then one for each capture, and the captures.
  static func closing(_ results: [Node], over slots: [Node]) -> (body: FoldBody, captures: [Node]) {
    var changes = Set(slots)
    for node in results.withDependencies() where node.inputs.contains(where: changes.contains) {
      changes.insert(node)
    }
    var captured: Set<Node> = []
    var seen: Set<Node> = []
    // Kernels read memory, so what they are given is made outside, once; loops take views in for nothing.
    var stack = results.map { (node: $0, servesKernels: false) }
    while let (node, servesKernels) = stack.popLast() {
      if !changes.contains(node), servesKernels || !isFree(node) {
        captured.insert(node)
      } else if seen.insert(node).inserted {
        let isKernel =
          switch node.primitive.lowering {
          case .kernels, .repeated: true
          default: false
          }
        stack += node.inputs.map { ($0, isKernel) }
      }
    }
    // What has no elements is no more than its shape.
    let captures = captured.filter { $0.shape.count > 0 }.sorted { $0.number < $1.number }
    let leaves = captures.enumerated().map { number, node in
      Node(Leaf.slot(slots.count + number, node.signature), [])
    }
    var replacements = Dictionary(uniqueKeysWithValues: zip(captures, leaves))
    for node in captured where node.shape.count == 0 {
      replacements[node] = Tensor.zeros(node.shape, node.elementType).node
    }
    var copy = GraphCopy(replacing: replacements)
    return (FoldBody(slots: slots + leaves, results: copy.copies(of: results)), captures)
  }

  /// Whether an unchanging `node` costs nothing where it is used: a number everywhere, or a view of one input.
  private static func isFree(_ node: Node) -> Bool {
    switch node.primitive.lowering {
    case .map: node.inputs.isEmpty
    case .movement: node.inputs.count == 1
    default: false
    }
  }
}
