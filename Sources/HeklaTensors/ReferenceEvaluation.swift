import HeklaArrays

/// The values of `tensors` in float64, computed by each primitive's reference: the truth that devices are held to.
///
/// - Parameters:
///   - tensors: What to evaluate.
///   - values: Values of leaves that are not constants, by node; floating ones are widened to `float64`.
/// - Returns: One array per tensor, `float64` where the tensor is floating.
public func referenceValues(of tensors: [Tensor], feeding values: [Node: HostArray] = [:]) -> [HostArray] {
  func widened(_ array: HostArray) -> HostArray {
    array.elementType.isFloating ? array.converted(to: .float64) : array
  }
  var known = values.mapValues(widened)
  let order = tensors.map(\.node).withDependencies()
  // Operations of which further results are asked for are evaluated once for all.
  let mains = Set(order.filter { $0.primitive is SecondaryOutput }.map { $0.inputs[0] })
  var results: [Node: [HostArray]] = [:]
  for node in order where known[node] == nil {
    if case .parameter(let parameter)? = node.primitive as? Leaf {
      known[node] = referenceValues(of: [parameter.initial])[0]
      continue
    }
    if let secondary = node.primitive as? SecondaryOutput {
      // The operation's own value may have been fed.
      let main = node.inputs[0]
      let all = results[main] ?? main.references(main.inputs.compactMap { known[$0] })
      results[main] = all
      known[node] = widened(all[secondary.index + 1])
      continue
    }
    let inputs = node.inputs.compactMap { known[$0] }
    if mains.contains(node) {
      let all = node.references(inputs)
      results[node] = all
      known[node] = widened(all[0])
      continue
    }
    known[node] = widened(node.primitive.reference(inputs, signature: node.signature.widened))
  }
  return tensors.compactMap { known[$0.node] }
}

extension Node {
  /// All results of the operation.
  fileprivate func references(_ inputs: [HostArray]) -> [HostArray] {
    let signatures = [signature] + primitive.secondarySignatures(of: self.inputs.map(\.signature))
    return primitive.references(inputs, signatures: signatures.map(\.widened))
  }
}

extension Signature {
  /// The same shape in `float64` where it is floating.
  fileprivate var widened: Signature { Signature(shape, elementType.isFloating ? .float64 : elementType) }
}
