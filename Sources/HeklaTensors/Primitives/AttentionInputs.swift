import HeklaArrays

/// An attention's inputs as tensors, and the attention in terms of matrix products: for element types and devices
/// without kernels, and for gradients of gradients.
struct AttentionInputs {
  let queries, keys, values: Tensor
  let mask, lengths: Tensor?
  private let options: AttentionOptions
  private let size: AttentionSize

  init(_ options: AttentionOptions, _ inputs: [Tensor]) {
    self.options = options
    size = AttentionSize(options, inputs.map(\.signature))
    queries = options.interleaved.exchanged(inputs[0], of: .queries)
    keys = options.interleaved.exchanged(inputs[1], of: .keys)
    values = options.interleaved.exchanged(inputs[2], of: .values)
    mask = options.hasMask ? inputs[3] : nil
    lengths = options.hasLengths ? inputs[options.inputCount - 1] : nil
  }

  /// A tensor of groups repeated for the heads that read them.
  private func spread(_ tensor: Tensor) -> Tensor {
    guard size.groups != size.heads else { return tensor }
    let extents = tensor.shape.extents
    let repeated = tensor.expanded(at: 2).broadcast(
      to: [extents[0], extents[1], size.heads / size.groups, extents[2], extents[3]])
    return repeated.reshaped(to: [extents[0], size.heads, extents[2], extents[3]])
  }

  /// The opposite: the sum over the heads that read a group.
  private func gathered(_ tensor: Tensor) -> Tensor {
    guard size.groups != size.heads else { return tensor }
    let extents = tensor.shape.extents
    return tensor.reshaped(to: [extents[0], size.groups, size.heads / size.groups, extents[2], extents[3]])
      .sum(along: 2)
  }

  /// The scores with masks, `Attention.lowest` where a query must not look: `[batch, heads, S, T]`.
  private var scores: Tensor {
    var scores = queries.matrixProduct(spread(keys).transposed()) * options.scale
    if let mask { scores = scores + mask }
    let shape = Shape([size.batch, size.heads, size.queries, size.keys])
    let key = Tensor.coordinates(shape, along: 3)
    var allowed = scores.map { .!($0 .<= Scalar(Attention.forbidden)) }
    if options.isCausal { allowed = .map(allowed, key .<= .coordinates(shape, along: 2)) { $0 .& $1 } }
    if let lengths {
      let limits = lengths.reshaped(to: [size.batch, 1, 1, 1]).broadcast(to: shape)
      allowed = .map(allowed, key .< limits) { $0 .& $1 }
    }
    return .select(allowed, scores, .full(shape, Attention.lowest, scores.elementType))
  }

  /// O as `[batch, heads, S, E]`.
  var composed: Tensor {
    let scores = scores
    let top = scores.maximum(along: -1, keepingAxes: true).stoppingGradient()
    let weights = weights(scores, lessening: top)
    let sums = weights.sum(along: -1, keepingAxes: true)
    // A row that may read nothing has no weights: its sum is 0, and so shall be its result.
    let safe = sums.map { .select($0 .> 0, $0, 1) }
    return (weights / safe).matrixProduct(spread(values))
  }

  private func weights(_ scores: Tensor, lessening level: Tensor) -> Tensor {
    .map(scores, level) { score, level in
      .select(score .<= Scalar(Attention.forbidden), 0, .exp(score - level))
    }
  }

  /// dS, the gradient of the scores, given L, delta and dO.
  func scoreGradient(sums: Tensor, delta: Tensor, upstream: Tensor) -> Tensor {
    let weights = weights(scores, lessening: sums.expanded(at: 3))
    let upstream = options.interleaved.exchanged(upstream, of: .results)
    return weights * (upstream.matrixProduct(spread(values).transposed()) - delta.expanded(at: 3))
  }

  /// dQ, dK and dV, given L, delta and dO.
  func gradients(sums: Tensor, delta: Tensor, upstream: Tensor) -> [Tensor] {
    let weights = weights(scores, lessening: sums.expanded(at: 3))
    let upstream = options.interleaved.exchanged(upstream, of: .results)
    let change =
      weights * (upstream.matrixProduct(spread(values).transposed()) - delta.expanded(at: 3)) * options.scale
    let interleaved = options.interleaved
    return [
      interleaved.exchanged(change.matrixProduct(spread(keys)), of: .queries),
      interleaved.exchanged(gathered(change.transposed().matrixProduct(queries)), of: .keys),
      interleaved.exchanged(gathered(weights.transposed().matrixProduct(upstream)), of: .values),
    ]
  }
}

extension Tensor {
  /// The sum over the axes along which `shape`, of the same rank, has extent 1.
  func summed(toShape shape: Shape) -> Tensor {
    let axes = shape.extents.indices.filter { shape.extents[$0] == 1 && self.shape.extents[$0] != 1 }
    return axes.isEmpty ? self : sum(along: axes, keepingAxes: true)
  }
}
