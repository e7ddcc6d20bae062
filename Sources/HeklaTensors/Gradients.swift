import HeklaArrays

/// The gradients of `loss` with respect to `tensors`: how much it changes with each of their elements.
///
/// The result is made of ordinary tensors, so it can be differentiated again.
/// - Parameters:
///   - loss: Of rank 0, unless `upstream` is given.
///   - tensors: Tensors that `loss` was computed from.
///   - upstream: What to multiply the loss's elements with; 1 when nil.
/// - Returns: One tensor per entry of `tensors`, of its shape; zeros where `loss` does not depend on it.
public func gradients(
  of loss: Tensor, withRespectTo tensors: [Tensor], upstream: Tensor? = nil, file: StaticString = #fileID,
  line: UInt = #line
) -> [Tensor] {
  require(
    loss.elementType.isFloating && (upstream?.shape ?? []) == loss.shape,
    "gradients: the loss is \(loss.signature); it must be a real number, or have an upstream of its shape",
    file: file, line: line)
  let pulled = pulledBack([(loss, upstream ?? .ones(loss.shape, loss.elementType))], to: tensors)
  return zip(tensors, pulled).map { $1 ?? .zeros($0.shape, $0.elementType) }
}

/// How much a loss changes with `tensors`, given how much it changes with some results computed from them.
///
/// - Parameters:
///   - cotangents: Results, each with the gradient of the loss with respect to it.
///   - tensors: What the results were computed from.
/// - Returns: One gradient per entry of `tensors`; nil where no result depends on it.
func pulledBack(_ cotangents: [(output: Tensor, cotangent: Tensor)], to tensors: [Tensor]) -> [Tensor?] {
  let wanted = Set(tensors.map(\.node))
  let order = cotangents.map(\.output.node).withDependencies()
  // Only what lies between the wanted tensors and the results is visited.
  var isOnPath: Set<Node> = []
  for node in order where wanted.contains(node) || node.inputs.contains(where: isOnPath.contains) {
    isOnPath.insert(node)
  }
  // What each user of a node adds to its gradient.
  var found: [Node: [Tensor]] = [:]
  for (output, cotangent) in cotangents { found[output.node, default: []].append(cotangent) }
  // Gradients of the further results of operations that have several.
  var secondary: [Node: [Int: Tensor]] = [:]
  for node in order.reversed() where isOnPath.contains(node) {
    // All users came before.
    let total = found[node].map(total)
    if let total { found[node] = [total] }
    if let output = node.primitive as? SecondaryOutput {
      // Several vertices may stand for one further result.
      if let gradient = total {
        let known = secondary[node.inputs[0]]?[output.index]
        secondary[node.inputs[0], default: [:]][output.index] = known.map { $0 + gradient } ?? gradient
      }
      continue
    }
    let own = total ?? secondary[node].map { _ in .zeros(node.shape, node.elementType) }
    guard let gradient = own, !node.inputs.isEmpty else { continue }
    var context = GradientContext(
      upstream: gradient, inputs: node.inputs.map { Tensor($0) }, output: Tensor(node))
    context.secondaryUpstreams = secondary[node] ?? [:]
    for (input, part) in zip(node.inputs, node.primitive.gradient(context)) {
      guard let part, isOnPath.contains(input) else { continue }
      require(
        part.signature == input.signature,
        "gradients: \(node.primitive.name) gave \(part.signature) for \(input)")
      found[input, default: []].append(part)
    }
  }
  return tensors.map { found[$0.node].map(total) }
}

/// The sum of `parts`, at least one.
private func total(_ parts: [Tensor]) -> Tensor {
  joined(parts) ?? parts.dropFirst().reduce(parts[0], +)
}

/// The sum of `parts` where each is zero but for a stretch of one axis, and the stretches lie side by side, as those of
/// gates do that were sliced from one array: nothing is added then.
private func joined(_ parts: [Tensor]) -> Tensor? {
  var axis: Int?
  var stretches: [(start: Int, content: Tensor)] = []
  for part in parts {
    guard let pad = part.node.primitive as? Pad, pad.fill == 0 else { return nil }
    let padded = pad.before.indices.filter { pad.before[$0] + pad.after[$0] > 0 }
    guard padded.count == 1, axis == nil || axis == padded[0] else { return nil }
    axis = padded[0]
    stretches.append((pad.before[padded[0]], Tensor(part.node.inputs[0])))
  }
  guard let axis else { return nil }
  stretches.sort { $0.start < $1.start }
  var end = 0
  for (start, content) in stretches {
    guard start == end, content.shape[axis] > 0 else { return nil }
    end += content.shape[axis]
  }
  return end == parts[0].shape[axis] ? .concatenating(stretches.map(\.content), along: axis) : nil
}
