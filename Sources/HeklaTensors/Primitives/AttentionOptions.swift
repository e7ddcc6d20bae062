import HeklaArrays

/// What an attention does besides reading its queries, keys and values.
struct AttentionOptions: Sendable, CustomStringConvertible {
  /// The factor of every score.
  let scale: Double
  /// Whether query s reads keys 0...s only.
  let isCausal: Bool
  /// Whether input 3 is a mask that is added to the scores; each of its four extents is 1 or the scores'.
  let hasMask: Bool
  /// Whether the last input is the number of keys that each entry of the batch has, `int32`.
  let hasLengths: Bool
  /// The operands whose heads lie side by side.
  var interleaved: AttentionOperands = []

  /// The number of an attention's inputs.
  var inputCount: Int { 3 + (hasMask ? 1 : 0) + (hasLengths ? 1 : 0) }

  var description: String {
    "scale \(scale)\(isCausal ? ", causal" : "")\(hasMask ? ", mask" : "")\(hasLengths ? ", lengths" : "")"
      + (interleaved.isEmpty ? "" : ", interleaved \(interleaved)")
  }
}

/// Operands of an attention that lie as matrix products leave them, the heads of a position side by side: `[batch, S,
/// heads, D]` in place of `[batch, heads, S, D]`. Their gradients lie as they do.
struct AttentionOperands: OptionSet, Sendable, CustomStringConvertible {
  let rawValue: Int

  /// Q and dQ.
  static let queries = AttentionOperands(rawValue: 1)
  /// K and dK.
  static let keys = AttentionOperands(rawValue: 2)
  /// V and dV.
  static let values = AttentionOperands(rawValue: 4)
  /// O and dO.
  static let results = AttentionOperands(rawValue: 8)

  var description: String {
    zip("QKVO", [Self.queries, .keys, .values, .results]).filter { contains($1) }.map { String($0.0) }
      .joined()
  }

  /// What exchanges the axes of heads and positions, there and back.
  static let exchange = [0, 2, 1, 3]

  /// The four extents of `operand` from those of the array that holds it, and the other way round.
  func exchanged(_ shape: Shape, of operand: AttentionOperands) -> Shape {
    contains(operand) ? Shape(Self.exchange.map { shape[$0] }) : shape
  }

  /// `operand` as a tensor from the array that holds it, and the other way round.
  func exchanged(_ tensor: Tensor, of operand: AttentionOperands) -> Tensor {
    contains(operand) ? tensor.permuted(Self.exchange) : tensor
  }
}

extension AttentionOptions {
  /// The same attention of what lies behind permutations of its inputs, and which of these it takes.
  /// - Parameters:
  ///   - orders: The permutations by input.
  ///   - operands: The operands that may lie otherwise, and which input each is.
  func absorbing(
    _ orders: [Int: [Int]], at operands: [(operand: AttentionOperands, input: Int)]
  ) -> (options: AttentionOptions, inputs: Set<Int>)? {
    let taken = operands.filter { orders[$0.input] == AttentionOperands.exchange }
    guard !taken.isEmpty else { return nil }
    var options = self
    for (operand, _) in taken { options.interleaved.formSymmetricDifference(operand) }
    return (options, Set(taken.map(\.input)))
  }
}

/// The extents of an attention.
struct AttentionSize: Sendable {
  let batch, heads, groups, queries, keys, depth, width: Int
  /// The mask's extents.
  let mask: Shape?
  private let interleaved: AttentionOperands

  /// Stops the program when the inputs do not fit.
  init(_ options: AttentionOptions, _ inputs: [Signature]) {
    let (q, k, v) = (inputs[0], inputs[1], inputs[2])
    require(
      inputs[0..<3].allSatisfy { $0.shape.rank == 4 && $0.elementType.isFloating },
      "attention: queries \(q), keys \(k) and values \(v) must be real of rank 4")
    interleaved = options.interleaved
    let qs = interleaved.exchanged(q.shape, of: .queries).extents
    let ks = interleaved.exchanged(k.shape, of: .keys).extents
    let vs = interleaved.exchanged(v.shape, of: .values).extents
    require(
      qs[0] == ks[0] && ks[0] == vs[0] && ks[1] == vs[1] && ks[2] == vs[2] && qs[3] == ks[3]
        && qs[1] % ks[1] == 0,
      "attention: queries \(q.shape), keys \(k.shape) and values \(v.shape) do not fit")
    (batch, heads, groups, queries, keys, depth, width) = (qs[0], qs[1], ks[1], qs[2], ks[2], qs[3], vs[3])
    mask = options.hasMask ? inputs[3].shape : nil
    let scores = [batch, heads, queries, keys]
    require(
      mask.map { $0.rank == 4 && zip($0.extents, scores).allSatisfy { $0 == 1 || $0 == $1 } } ?? true,
      "attention: the mask \(mask ?? []) does not broadcast to the scores \(scores)")
    let lengths = options.hasLengths ? inputs[options.inputCount - 1] : nil
    require(
      lengths.map { $0.shape == [qs[0]] && $0.elementType == .int32 } ?? true,
      "attention: the lengths \(lengths ?? q) must be int32 [\(batch)]")
  }

  /// The number of scores, masked or not.
  var scoreCount: Double { Double(batch * heads) * Double(queries) * Double(keys) }

  /// The keys' stream, of batch x groups, that the queries' stream, of batch x heads, reads.
  func group(of stream: Int) -> Int { stream / heads * groups + stream % heads / (heads / groups) }

  /// The shape of O and dO.
  var result: Shape { interleaved.exchanged([batch, heads, queries, width], of: .results) }

  /// The row of `operand` in memory that `position` of `stream` has.
  func row(of operand: AttentionOperands, _ stream: Int, _ position: Int) -> Int {
    let isQuery = operand == .queries || operand == .results
    let (streams, positions) = isQuery ? (heads, queries) : (groups, keys)
    return interleaved.contains(operand)
      ? (stream / streams * positions + position) * streams + stream % streams
      : stream * positions + position
  }
}

/// The scores of an attention in float64, for the reference.
struct AttentionScores {
  let size: AttentionSize
  private let options: AttentionOptions
  private let q, k, mask, lengths: [Double]

  init(_ options: AttentionOptions, _ inputs: [HostArray]) {
    self.options = options
    size = AttentionSize(options, inputs.map { Signature($0.shape, $0.elementType) })
    (q, k) = (inputs[0].doubles(), inputs[1].doubles())
    mask = options.hasMask ? inputs[3].doubles() : []
    lengths = options.hasLengths ? inputs[options.inputCount - 1].doubles() : []
  }

  /// The scores of one query; nil where it must not look.
  func row(_ stream: Int, _ query: Int) -> [Double?] {
    (0..<size.keys).map { key in
      if options.isCausal && key > query { return nil }
      if options.hasLengths && Double(key) >= lengths[stream / size.heads] { return nil }
      var score = 0.0
      for column in 0..<size.depth {
        score +=
          q[size.row(of: .queries, stream, query) * size.depth + column]
          * k[size.row(of: .keys, size.group(of: stream), key) * size.depth + column]
      }
      score *= options.scale
      if let shape = size.mask {
        let point = [stream / size.heads, stream % size.heads, query, key]
        score += mask[zip(shape.extents, point).reduce(0) { $0 * $1.0 + ($1.0 == 1 ? 0 : $1.1) }]
      }
      return score <= Attention.forbidden ? nil : score
    }
  }
}
