import HeklaArrays

/// A further result of an operation that has several, such as the positions of sorted elements.
struct SecondaryOutput: Primitive {
  /// Which of the further results, from 0.
  let index: Int
  let signature: Signature

  /// The further results of `node`, as tensors.
  static func outputs(of node: Node) -> [Tensor] {
    node.primitive.secondarySignatures(of: node.inputs.map(\.signature)).enumerated().map {
      index, signature in
      Tensor(Node(SecondaryOutput(index: index, signature: signature), [node]))
    }
  }

  var name: String { "secondary-output" }
  var attributes: String { "\(index)" }
  func signature(of inputs: [Signature]) -> Signature { signature }

  /// Its gradient is part of the operation's own rule; see `GradientContext.secondaryUpstreams`.
  func gradient(_ context: GradientContext) -> [Tensor?] { [nil] }

  /// Evaluated together with the operation; see `referenceValues`.
  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(zeros: signature.shape)
  }

  var lowering: Lowering { .secondary(index) }

  /// Tested with the operations that have several results.
  static var samples: [Sample] { [] }
}

extension Node {
  /// The further results of the operation, as tensors.
  package var secondaryOutputs: [Tensor] { SecondaryOutput.outputs(of: self) }
}
