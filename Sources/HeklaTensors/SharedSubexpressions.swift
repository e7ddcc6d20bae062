extension [Node] {
  /// These vertices with equal subcomputations made one, so that what was written twice is done once.
  package func sharingSubexpressions() -> [Node] {
    var canonical: [Node: Node] = [:]
    var known: [NodeKey: Node] = [:]
    for node in withDependencies() {
      let inputs = node.inputs.map { canonical[$0] ?? $0 }
      let key = NodeKey(
        operation: "\(node.primitive.name) \(node.primitive.attributes) \(node.signature)", inputs: inputs)
      if let same = known[key] {
        canonical[node] = same
      } else {
        let isSame = zip(inputs, node.inputs).allSatisfy { $0 === $1 }
        let own = isSame ? node : Node(node.primitive, inputs)
        known[key] = own
        canonical[node] = own
      }
    }
    return map { canonical[$0] ?? $0 }
  }
}

/// What makes two vertices equal.
private struct NodeKey: Hashable {
  var operation: String
  var inputs: [Node]
}
