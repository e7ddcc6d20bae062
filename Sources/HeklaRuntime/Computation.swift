import HeklaTensors

/// What one compiled step computes: values to return and values that parameters take.
struct Computation {
  /// What the caller gets back.
  var outputs: [Node]
  /// What each parameter holds afterwards.
  var assignments: [(parameter: Parameter, value: Node)]

  /// Everything that has to be computed.
  var roots: [Node] { outputs + assignments.map(\.value) }

  /// The same computation with every root replaced.
  func mappingRoots(_ transform: (Node) -> Node) -> Computation {
    Computation(
      outputs: outputs.map(transform), assignments: assignments.map { ($0.parameter, transform($0.value)) })
  }
}
