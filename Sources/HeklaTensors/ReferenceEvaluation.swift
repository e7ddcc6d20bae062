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
  for node in tensors.map(\.node).withDependencies() where known[node] == nil {
    if case .parameter(let parameter)? = node.primitive as? Leaf {
      known[node] = referenceValues(of: [parameter.initial])[0]
      continue
    }
    if let secondary = node.primitive as? SecondaryOutput {
      let main = node.inputs[0]
      let signatures = main.primitive.secondarySignatures(of: main.inputs.map(\.signature)).map(\.widened)
      let results = main.primitive.secondaryReferences(
        main.inputs.compactMap { known[$0] }, signatures: signatures)
      known[node] = widened(results[secondary.index])
      continue
    }
    let inputs = node.inputs.compactMap { known[$0] }
    known[node] = widened(node.primitive.reference(inputs, signature: node.signature.widened))
  }
  return tensors.compactMap { known[$0.node] }
}

extension Signature {
  /// The same shape in `float64` where it is floating.
  fileprivate var widened: Signature { Signature(shape, elementType.isFloating ? .float64 : elementType) }
}
