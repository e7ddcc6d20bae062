import Foundation
import HeklaArrays
import HeklaDevices

/// How much a loss changes with the queries, keys and values of an `Attention`.
///
/// Inputs: those of the attention, then delta `[batch, heads, S]` (the row sums of dO O), L `[batch, heads, S]` and
/// dO `[batch, heads, S, E]`. Results: dQ; further ones dK and dV. With P = exp(scale Q K^T + mask - L):
/// dV = P^T dO, dS = P (dO V^T - delta), dQ = scale dS K, dK = scale dS^T Q.
/// Source: Dao et al. 2022, "FlashAttention", algorithm 4.
struct AttentionGradient: Primitive {
  let options: AttentionOptions

  var name: String { "attention-gradient" }
  var attributes: String { "\(options)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let size = AttentionSize(options, inputs)
    let (delta, sums, upstream) = (
      inputs[options.inputCount], inputs[options.inputCount + 1], inputs[options.inputCount + 2]
    )
    let rows = Shape([size.batch, size.heads, size.queries])
    require(
      delta.shape == rows && sums.shape == rows && upstream.shape == size.result,
      "attention-gradient: delta \(delta), L \(sums) and dO \(upstream) where the rows are \(rows)")
    return inputs[0]
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] { [inputs[1], inputs[2]] }

  // MARK: Gradient

  /// That of the same computation written with matrix products.
  func gradient(_ context: GradientContext) -> [Tensor?] {
    // Copies end the search for gradients at this node's inputs, however these depend on each other.
    let copies = context.inputs.map { $0.map { $0 } }
    let parts = AttentionInputs(options, copies)
    let (delta, sums, upstream) = (
      copies[options.inputCount], copies[options.inputCount + 1], copies[options.inputCount + 2]
    )
    let results = parts.gradients(sums: sums, delta: delta, upstream: upstream)
    var loss = (results[0] * context.upstream).sum()
    for (index, upstream) in context.secondaryUpstreams.sorted(by: { $0.key < $1.key }) {
      loss = loss + (results[index + 1] * upstream).sum()
    }
    let isReal = copies.map(\.elementType.isFloating)
    var found = gradients(of: loss, withRespectTo: zip(copies, isReal).filter(\.1).map(\.0)).makeIterator()
    return isReal.map { $0 ? found.next() : nil }
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(converting: evaluate(inputs)[0], shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    zip(evaluate(inputs).dropFirst(), signatures).map {
      HostArray(converting: $0, shape: $1.shape, to: $1.elementType)
    }
  }

  private func evaluate(_ inputs: [HostArray]) -> [[Double]] {
    let scores = AttentionScores(options, inputs)
    let size = scores.size
    let (q, k, v) = (inputs[0].doubles(), inputs[1].doubles(), inputs[2].doubles())
    let rest = inputs[options.inputCount...].map { $0.doubles() }
    let (delta, sums, upstream) = (rest[0], rest[1], rest[2])
    var (dq, dk, dv) = (q.map { _ in 0.0 }, k.map { _ in 0.0 }, v.map { _ in 0.0 })
    for stream in 0..<size.batch * size.heads {
      for query in 0..<size.queries {
        let row = stream * size.queries + query
        let own = size.row(of: .queries, stream, query) * size.depth
        let result = size.row(of: .results, stream, query) * size.width
        for (key, score) in scores.row(stream, query).enumerated() {
          guard let score else { continue }
          let other = size.row(of: .keys, size.group(of: stream), key) * size.depth
          let value = size.row(of: .values, size.group(of: stream), key) * size.width
          let weight = exp(score - sums[row])
          var change = -delta[row]
          for column in 0..<size.width {
            change += upstream[result + column] * v[value + column]
            dv[value + column] += weight * upstream[result + column]
          }
          for column in 0..<size.depth {
            dq[own + column] += options.scale * weight * change * k[other + column]
            dk[other + column] += options.scale * weight * change * q[own + column]
          }
        }
      }
    }
    return [dq, dk, dv]
  }

  // MARK: Operations

  /// Five matrix products; what a causal mask leaves out counts too.
  func operationCount(of inputs: [Signature]) -> Double? {
    let size = AttentionSize(options, inputs)
    return 2 * size.scoreCount * Double(3 * size.depth + 2 * size.width)
  }

  // MARK: Lowering

  func absorbing(_ orders: [Int: [Int]]) -> PermutedForm? {
    let operands: [(AttentionOperands, Int)] = [
      (.queries, 0), (.keys, 1), (.values, 2), (.results, options.inputCount + 2),
    ]
    return options.absorbing(orders, at: operands).map { options, taken in
      PermutedForm(
        primitive: AttentionGradient(options: options), inputs: taken,
        results: Dictionary(
          uniqueKeysWithValues: taken.filter { $0 < 3 }.map { ($0, AttentionOperands.exchange) }))
    }
  }

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  /// Cases with L about the logarithm of T, as of small scores, so that the weights sum to about 1.
  static var samples: [Sample] {
    [
      sample("ones", [1, 1, 1, 4], [1, 1, 1, 4], 4),
      sample("causal-edges", [1, 2, 33, 16], [1, 2, 33, 16], 16, isCausal: true),
      sample("grouped-masks", [2, 4, 9, 8], [2, 2, 35, 8], 12, mask: [2, 1, 9, 35], hasLengths: true),
      // Small enough for second derivatives, with all that scores can depend on and values of another width.
      sample(
        "small-masked", [2, 2, 3, 4], [2, 1, 5, 4], 8, isCausal: true, mask: [2, 2, 3, 5], hasLengths: true),
      sample("head-80", [1, 1, 7, 80], [1, 1, 65, 80], 80),
    ]
  }

  private static func sample(
    _ label: String, _ queries: Shape, _ keys: Shape, _ width: Int, isCausal: Bool = false,
    mask: Shape? = nil,
    hasLengths: Bool = false
  ) -> Sample {
    let options = AttentionOptions(
      scale: 1 / Double(queries[3]).squareRoot(), isCausal: isCausal, hasMask: mask != nil,
      hasLengths: hasLengths)
    let rows = Array(queries.extents.dropLast())
    let level = log(Double(keys[2]))
    let inputs =
      [.init(queries), .init(keys), .init(Shape(Array(keys.extents.dropLast()) + [width]))]
      + (mask.map { [Sample.Input($0)] } ?? [])
      + (hasLengths ? [Sample.Input([queries[0]], .int32, in: 0...Double(keys[2]))] : [])
      + [.init(Shape(rows)), .init(Shape(rows), in: level...level + 1), .init(Shape(rows + [width]))]
    let gradient = AttentionGradient(options: options)
    return Sample(
      label, inputs: inputs,
      // As the attention's, with sums over D, then E, then T or all S of a group's heads.
      tolerance: .sum(of: 4 * (queries[3] + width + keys[2] + 64)),
      flops: Int(gradient.operationCount(of: inputs.map(\.signature)) ?? 0),
      // Central differences evaluate the reference anew for each element.
      isDifferentiable: queries.count + keys.count <= 1500
    ) { Tensor(gradient, $0) }
  }
}
