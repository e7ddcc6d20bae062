/// Copies of graphs in which some vertices are replaced; what lies behind a replaced one is left out.
///
/// A further result of an operation belongs to the operation itself, not to its first result: it is copied with
/// the operation even where the first result is replaced.
struct GraphCopy {
  private let replacements: [Node: Node]
  private var copies: [Node: Node] = [:]

  /// Copies in which each key of `replacements` gives way to its value.
  init(replacing replacements: [Node: Node]) { self.replacements = replacements }

  /// The copies of `roots`. What contains nothing replaced is not copied but shared.
  mutating func copies(of roots: [Node]) -> [Node] {
    for node in structure(behind: roots) where copies[node] == nil {
      let inputs = node.inputs.map { input in
        (node.primitive is SecondaryOutput ? nil : replacements[input]) ?? copies[input] ?? input
      }
      let isSame = zip(inputs, node.inputs).allSatisfy { $0 === $1 }
      copies[node] = isSame ? node : Node(node.primitive, inputs)
    }
    return roots.map { replacements[$0] ?? copies[$0] ?? $0 }
  }

  /// The vertices that the copies of `roots` are made of, inputs before users.
  func structure(behind roots: [Node]) -> [Node] {
    var seen: Set<Node> = []
    var stack = roots.filter { replacements[$0] == nil }
    while let node = stack.popLast() {
      guard seen.insert(node).inserted else { continue }
      stack +=
        node.primitive is SecondaryOutput ? node.inputs : node.inputs.filter { replacements[$0] == nil }
    }
    return seen.sorted { $0.number < $1.number }
  }
}
