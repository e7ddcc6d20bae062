import HeklaArrays
import HeklaTensors

extension CaseFamily {
  static let attention = CaseFamily(
    "dot-product-attention",
    shape: CaseShape(
      "BxHxTxD",
      rule: "It is BxHxTxD, such as 8x8x1024x64: B sequences of T positions, H heads of D numbers.",
      counts: 4...4, usual: "8x8x1024x64", software: "1x2x128x32", arrays: { extents, _ in [extents] }),
    summary: """
      attention: softmax(q k^T / sqrt D) v of H heads, without a mask;
      attention-gradients, those of q, k and v from one of the result, with
      the forward pass that they need
      """,
    members: [
      Member("attention", types: [.float32]) { .attention($0, isGradient: false) },
      Member("attention-gradients", types: [.float32]) { .attention($0, isGradient: true) },
    ])
}

extension BenchmarkCase {
  /// From q, k and v what each position reads; with do in the end the gradients with respect to the three.
  fileprivate static func attention(_ parameters: CaseParameters, isGradient: Bool) -> BenchmarkCase {
    let (extents, type) = (parameters.extents, parameters.elementType)
    let check = CheckedAttention(
      heads: extents[0] * extents[1], length: extents[2], width: extents[3],
      roundoff: type.arithmeticRoundoff)
    let product = extents.reduce(1) { $0 * Double($1) } * Double(extents[2])
    return BenchmarkCase(
      isGradient ? "attention-gradients" : "attention", shape: parameters.shape, elementType: type,
      inputs: [BenchmarkInput](repeating: .numbers(Shape(extents), type), count: isGradient ? 4 : 3),
      // Two products of T x T x D forward, and four back; scores that are computed again do not count.
      operationCount: (isGradient ? 12 : 4) * product, primitive: isGradient ? "attention-gradient" : nil,
      build: { inputs in
        let output = Tensor.attention(queries: inputs[0], keys: inputs[1], values: inputs[2])
        return isGradient
          ? gradients(of: output, withRespectTo: Array(inputs[0..<3]), upstream: inputs[3]) : [output]
      },
      largestError: { inputs, outputs in
        let (inputs, outputs) = (inputs.map { $0.doubles() }, outputs.map { $0.doubles() })
        return isGradient
          ? check.largestError(ofGradients: outputs, inputs) : check.largestError(of: outputs[0], inputs)
      })
  }
}
