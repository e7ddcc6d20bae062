import HeklaTensors

/// Shares equal subcomputations, so that what was written twice is done once.
func simplify(_ computation: Computation) -> Computation {
  struct Key: Hashable {
    var operation: String
    var inputs: [Node]
  }
  var canonical: [Node: Node] = [:]
  var known: [Key: Node] = [:]
  for node in computation.roots.withDependencies() {
    let inputs = node.inputs.map { canonical[$0] ?? $0 }
    let key = Key(
      operation: "\(node.primitive.name) \(node.primitive.attributes) \(node.signature)", inputs: inputs)
    if let same = known[key] {
      canonical[node] = same
    } else {
      let node = zip(inputs, node.inputs).allSatisfy { $0 === $1 } ? node : Node(node.primitive, inputs)
      known[key] = node
      canonical[node] = node
    }
    canonical[node] = canonical[node] ?? known[key]
  }
  return computation.mappingRoots { canonical[$0] ?? $0 }
}
