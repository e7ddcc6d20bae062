import HeklaArrays
import HeklaTensors

/// A concatenation of parts of one shape: a loop over one part writes all of them at each point, where a loop over the
/// whole would have to tell at each of its points which part it is in.
struct JoinedParts {
  /// What is joined, in order.
  let parts: [Node]
  /// How far the elements of each part lie behind those of the first.
  let offsets: [Int]

  /// The parts of `node`; nil where it is no concatenation, or one of parts that differ in shape.
  init?(_ node: Node) {
    guard node.primitive.name == "concatenate", node.shape.count > 0 else { return nil }
    let shape = node.inputs[0].shape
    guard let axis = shape.extents.indices.first(where: { shape.extents[$0] != node.shape.extents[$0] }),
      node.inputs.allSatisfy({ $0.shape == shape })
    else { return nil }
    parts = node.inputs
    let step = shape.extents[axis] * node.shape.strides[axis]
    offsets = parts.indices.map { $0 * step }
  }
}

extension Node {
  /// The extents of a loop that computes this node: its shape, or that of the parts that it joins.
  var loopShape: Shape { JoinedParts(self)?.parts[0].shape ?? shape }
}
