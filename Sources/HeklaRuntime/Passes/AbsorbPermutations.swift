import HeklaArrays
import HeklaTensors

/// Has operations read arrays as they lie, where their kernels can, in place of copies with the axes in another order,
/// and leave results so: an attention takes its heads from side by side, as products made them, and leaves them so.
///
/// Which kernels can is for `Primitive.absorbing(_:)` to say. What becomes of a result is then a permutation of what
/// they leave, which mostly meets its inverse; two permutations in a row become one, or none.
func absorbPermutations(_ computation: Computation) -> Computation {
  var absorption = PermutationAbsorption()
  for node in computation.roots.withDependencies() { absorption.visit(node) }
  return computation.mappingRoots { absorption.value(of: $0) }
}

private struct PermutationAbsorption {
  /// What stands for nodes that are made anew.
  private var values: [Node: Node] = [:]
  /// Operations that absorb something, by the original.
  private var absorbing: [Node: (node: Node, results: [Int: [Int]])] = [:]

  func value(of node: Node) -> Node { values[node] ?? node }

  mutating func visit(_ node: Node) {
    let inputs = node.inputs.map(value(of:))
    if let order = node.permutation {
      if let (source, inner) = permutation(behind: inputs[0]) {
        values[node] = Tensor(source).permuted(order.map { inner[$0] }).node
        return
      }
    } else if case .secondary(let index) = node.primitive.lowering {
      if let (main, results) = absorbing[node.inputs[0]] {
        values[node] = result(main.secondaryOutputs[index].node, results[index + 1])
        return
      }
    } else {
      let behind = inputs.map(permutation(behind:))
      var orders: [Int: [Int]] = [:]
      for (position, found) in behind.enumerated() { orders[position] = found?.order }
      if !orders.isEmpty, let form = node.primitive.absorbing(orders) {
        let sources = inputs.enumerated().map { position, input in
          form.inputs.contains(position) ? behind[position]?.source ?? input : input
        }
        let main = Node(form.primitive, sources)
        absorbing[node] = (main, form.results)
        values[node] = result(main, form.results[0])
        return
      }
    }
    let isSame = zip(inputs, node.inputs).allSatisfy { $0 === $1 }
    if !isSame { values[node] = Node(node.primitive, inputs) }
  }

  private func result(_ node: Node, _ order: [Int]?) -> Node {
    order.map { Tensor(node).permuted($0).node } ?? node
  }

  /// The array that `node` is a permutation of, perhaps behind a reshape of the axes that it leaves alone in front.
  private func permutation(behind node: Node) -> (source: Node, order: [Int])? {
    if let order = node.permutation { return (node.inputs[0], order) }
    guard node.base != node, let (source, order) = permutation(behind: node.inputs[0]) else { return nil }
    let fixed = order.enumerated().prefix { $0.offset == $0.element }.count
    let (count, rank) = (order.count - fixed, node.shape.rank)
    guard rank >= count, node.shape.extents.suffix(count) == node.inputs[0].shape.extents.suffix(count) else {
      return nil
    }
    let leading = rank - count
    let reshaped = Tensor(source).reshaped(
      to: Shape(node.shape.extents.prefix(leading) + source.shape.extents.suffix(count)))
    return (reshaped.node, Array(0..<leading) + order.suffix(count).map { $0 - fixed + leading })
  }
}
