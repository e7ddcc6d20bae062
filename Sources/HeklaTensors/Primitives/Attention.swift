import Foundation
import HeklaArrays
import HeklaDevices

/// What queries Q `[batch, heads, S, D]` read from keys K `[batch, groups, T, D]` and values V
/// `[batch, groups, T, E]`: O = softmax(scale Q K^T + mask) V, shape `[batch, heads, S, E]`, and as a further
/// result L, the logarithm of each row's sum of exponentials, shape `[batch, heads, S]`.
///
/// Head h reads group h / (heads / groups). No array of S x T scores is made.
/// Sources: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax"; Dao et al. 2022,
/// "FlashAttention"; Ainslie et al. 2023, "GQA", for the groups.
struct Attention: Primitive {
  let options: AttentionOptions

  /// A score at or below this does not count: what a mask's minus infinity becomes without arithmetic on infinities.
  static let forbidden = -1e30
  /// L of a row that may read nothing, and what a score becomes that does not count.
  static let lowest = -1.7e38
  /// The largest extent of a key or a value that kernels take.
  static let maxHeadSize = 256

  var name: String { "attention" }
  var attributes: String { "\(options)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let size = AttentionSize(options, inputs)
    return Signature(size.result)
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    let size = AttentionSize(options, inputs)
    return [Signature([size.batch, size.heads, size.queries])]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let parts = AttentionInputs(options, context.inputs)
    let sums = SecondaryOutput.outputs(of: context.output.node)[0]
    // dS = P (dP - delta) with delta = rowsum(dO O); a gradient of L adds P dL, so it joins delta.
    let product = options.interleaved.exchanged(context.upstream * context.output, of: .results)
      .sum(along: -1)
    let delta = context.secondaryUpstreams[0].map { product - $0 } ?? product
    let node = Node(
      AttentionGradient(options: options), (context.inputs + [delta, sums, context.upstream]).map(\.node))
    let others = SecondaryOutput.outputs(of: node)
    // Built whether wanted or not; a plan has it only where somebody reads a gradient of the mask.
    let mask = parts.mask.map { mask in
      parts.scoreGradient(sums: sums, delta: delta, upstream: context.upstream).summed(toShape: mask.shape)
    }
    return [Tensor(node), others[0], others[1]] + (parts.mask == nil ? [] : [mask])
      + (parts.lengths == nil ? [] : [nil])
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(converting: evaluate(inputs).values, shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    [HostArray(converting: evaluate(inputs).sums, shape: signatures[0].shape, to: signatures[0].elementType)]
  }

  private func evaluate(_ inputs: [HostArray]) -> (values: [Double], sums: [Double]) {
    let scores = AttentionScores(options, inputs)
    let (size, v) = (scores.size, inputs[2].doubles())
    var values = [Double](repeating: 0, count: size.batch * size.heads * size.queries * size.width)
    var sums = [Double](repeating: Self.lowest, count: size.batch * size.heads * size.queries)
    for stream in 0..<size.batch * size.heads {
      for query in 0..<size.queries {
        let row = scores.row(stream, query)
        guard let top = row.compactMap({ $0 }).max() else { continue }
        let sum = row.reduce(0) { $0 + ($1.map { exp($0 - top) } ?? 0) }
        sums[stream * size.queries + query] = top + log(sum)
        for (key, score) in row.enumerated() {
          guard let score else { continue }
          for column in 0..<size.width {
            values[size.row(of: .results, stream, query) * size.width + column] +=
              exp(score - top) / sum
              * v[size.row(of: .values, size.group(of: stream), key) * size.width + column]
          }
        }
      }
    }
    return (values, sums)
  }

  // MARK: Operations

  /// Two matrix products; what a causal mask leaves out counts too, the softmax does not.
  func operationCount(of inputs: [Signature]) -> Double? {
    let size = AttentionSize(options, inputs)
    return 2 * size.scoreCount * Double(size.depth + size.width)
  }

  // MARK: Lowering

  func absorbing(_ orders: [Int: [Int]]) -> PermutedForm? {
    options.absorbing(orders, at: [(.queries, 0), (.keys, 1), (.values, 2)]).map { options, taken in
      var options = options
      // What is read of values is wanted as they are.
      let exchangesResult = taken.contains(2)
      if exchangesResult { options.interleaved.formSymmetricDifference(.results) }
      return PermutedForm(
        primitive: Attention(options: options), inputs: taken,
        results: exchangesResult ? [0: AttentionOperands.exchange] : [:])
    }
  }

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    [
      sample("square-64", [2, 2, 64, 16], [2, 2, 64, 16], 16),
      sample("ones", [1, 1, 1, 4], [1, 1, 1, 4], 4),
      sample("one-query", [1, 2, 1, 8], [1, 2, 33, 8], 8),
      sample("one-key", [1, 1, 7, 8], [1, 1, 1, 8], 12),
      sample("causal-edges", [1, 2, 65, 64], [1, 2, 65, 64], 64, isCausal: true),
      sample("causal-cross", [1, 1, 33, 8], [1, 1, 7, 8], 8, isCausal: true),
      sample("grouped", [2, 6, 7, 16], [2, 2, 33, 16], 8, isCausal: true),
      sample("mask-rows", [2, 2, 33, 80], [2, 2, 65, 80], 20, mask: [1, 2, 33, 65]),
      sample("mask-keys", [2, 2, 7, 8], [2, 1, 33, 8], 8, mask: [2, 1, 1, 33]),
      sample("lengths", [3, 2, 7, 16], [3, 2, 33, 16], 16, hasLengths: true),
      sample(
        "all-masks", [2, 2, 9, 8], [2, 1, 35, 8], 8, isCausal: true, mask: [2, 2, 9, 35], hasLengths: true),
      sample("head-256", [1, 1, 9, 256], [1, 1, 34, 256], 256),
      sample(
        "interleaved", [2, 4, 9, 16], [2, 2, 35, 16], 8, isCausal: true, mask: [2, 1, 9, 35],
        hasLengths: true,
        interleaved: [.queries, .keys, .values, .results]),
    ]
  }

  private static func sample(
    _ label: String, _ queries: Shape, _ keys: Shape, _ width: Int, isCausal: Bool = false,
    mask: Shape? = nil, hasLengths: Bool = false, interleaved: AttentionOperands = []
  ) -> Sample {
    let options = AttentionOptions(
      scale: 1 / Double(queries[3]).squareRoot(), isCausal: isCausal, hasMask: mask != nil,
      hasLengths: hasLengths, interleaved: interleaved)
    let values = Shape(Array(keys.extents.dropLast()) + [width])
    let inputs =
      [
        Sample.Input(interleaved.exchanged(queries, of: .queries)),
        Sample.Input(interleaved.exchanged(keys, of: .keys)),
        Sample.Input(interleaved.exchanged(values, of: .values)),
      ]
      + (mask.map { [Sample.Input($0)] } ?? [])
      // Lengths of 0 too: rows that read nothing are 0.
      + (hasLengths ? [Sample.Input([queries[0]], .int32, in: 0...Double(keys[2]))] : [])
    let attention = Attention(options: options)
    return Sample(
      label, inputs: inputs,
      // A score sums D terms and is of the order of 1, an exponential is good to some units and turns the
      // score's absolute error into a relative one, O sums T terms.
      tolerance: .sum(of: queries[3] + keys[2] + 64),
      flops: Int(attention.operationCount(of: inputs.map(\.signature)) ?? 0),
      // Central differences evaluate the reference anew for each element.
      isDifferentiable: queries.count + keys.count <= 1500
    ) { Tensor(attention, $0) }
  }
}
