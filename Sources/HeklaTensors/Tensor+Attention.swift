import HeklaArrays

extension Tensor {
  /// What each query reads: the values, weighted by the softmax of its scores with the keys.
  ///
  /// O = softmax(`scale` Q K^T + `mask`) V, without an array of S x T scores: in training what is kept besides O is
  /// one number a row, and the backward pass computes the scores again. `float32` with D and E of up to 256 runs
  /// in kernels of its own, others as matrix products and a softmax. A row that may read no key is 0.
  ///
  /// A row is NaN where a score that it reads is, and follows IEEE 754 in the values it reads. What a query must not
  /// read may still reach it when it is NaN or infinite, because a weight of 0 times that is NaN.
  ///
  /// Gradients flow to queries, keys, values and an additive mask, and may be differentiated again; that of a mask,
  /// and second ones, do make the scores.
  ///
  /// Sources: Vaswani et al. 2017, section 3.2.1; Dao et al. 2022, "FlashAttention"; Ainslie et al. 2023, "GQA".
  /// - Parameters:
  ///   - queries: Shape `[..., H, S, D]`.
  ///   - keys: Shape `[..., G, T, D]`. H is a multiple of G, and head h reads group h / (H / G).
  ///   - values: Shape `[..., G, T, E]`.
  ///   - scale: The factor of the scores; nil is 1 / sqrt(D).
  ///   - isCausal: Whether query s reads only keys 0...s. Where S and T differ, both count from the start, as
  ///     PyTorch's `is_causal` does.
  ///   - keyPadding: Which keys there are: `bool` of shape `[..., T]`, true for those that may be read, or `int32` of
  ///     shape `[...]`, how many there are, the first ones.
  ///   - mask: Broadcasts to `[..., H, S, T]`: `bool`, true where a query may read a key, or real numbers that are
  ///     added to the scores; a score of -1e30 or less, such as minus infinity, does not count.
  /// - Returns: Shape `[..., H, S, E]`, of the queries' type.
  public static func attention(
    queries: Tensor, keys: Tensor, values: Tensor, scale: Double? = nil, isCausal: Bool = false,
    keyPadding: Tensor? = nil, mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let tensors = [queries, keys, values]
    let outer = Array(queries.shape.extents.dropLast(3))
    let fit =
      queries.rank >= 3
      && tensors.allSatisfy {
        $0.rank == queries.rank && Array($0.shape.extents.dropLast(3)) == outer
          && $0.elementType == queries.elementType
      }
      && keys.shape[-1] == queries.shape[-1] && keys.shape[-2] == values.shape[-2]
      && keys.shape[-3] == values.shape[-3]
      && keys.shape[-3] > 0 && queries.shape[-3] % keys.shape[-3] == 0 && queries.elementType.isFloating
    require(
      fit,
      "attention: queries \(queries.signature), keys \(keys.signature), values \(values.signature) must be "
        + "[..., H, S, D], [..., G, T, D] and [..., G, T, E] of one real type, H a multiple of G",
      file: file, line: line)
    let (heads, length, count) = (queries.shape[-3], queries.shape[-2], keys.shape[-2])
    let result = Shape(outer + [heads, length, values.shape[-1]])
    guard result.count > 0, count > 0, queries.shape[-1] > 0 else {
      // Without depth all scores are equal; that and the empty cases are not worth a kernel.
      return queries.shape[-1] == 0 && result.count > 0 && count > 0
        ? attention(
          queries: .zeros(Shape(outer + [heads, length, 1]), queries.elementType),
          keys: .zeros(Shape(outer + [keys.shape[-3], count, 1]), queries.elementType), values: values,
          scale: 1,
          isCausal: isCausal, keyPadding: keyPadding, mask: mask, file: file, line: line)
        : .zeros(result, queries.elementType)
    }
    let batch = outer.reduce(1, *)
    let masks = AttentionMasks(
      outer: outer, scores: [heads, length, count], keyPadding: keyPadding, mask: mask, file: file, line: line
    )
    let options = AttentionOptions(
      scale: scale ?? 1 / Double(queries.shape[-1]).squareRoot(), isCausal: isCausal,
      hasMask: masks.additive != nil,
      hasLengths: masks.lengths != nil)
    let type = queries.elementType
    let wide: ElementType = type == .float64 ? .float64 : .float32
    let inputs =
      tensors.map { $0.reshaped(to: [batch] + Array($0.shape.extents.suffix(3))).converted(to: wide) }
      + (masks.additive.map { [$0.converted(to: wide)] } ?? []) + (masks.lengths.map { [$0] } ?? [])
    let isKernel = wide == .float32 && max(queries.shape[-1], values.shape[-1]) <= Attention.maxHeadSize
    let output = isKernel ? attentionFused(inputs, options) : attentionComposed(inputs, options)
    return output.reshaped(to: result).converted(to: type)
  }

  /// The attention by its own kernels, which read vectors of four: columns of zeros change no score.
  private static func attentionFused(_ inputs: [Tensor], _ options: AttentionOptions) -> Tensor {
    let width = inputs[2].shape[3]
    let padded = inputs.enumerated().map { position, tensor -> Tensor in
      let missing = position < 3 ? (4 - tensor.shape[3] % 4) % 4 : 0
      return missing == 0 ? tensor : tensor.padded(after: [0, 0, 0, missing])
    }
    let output = Tensor(Attention(options: options), padded)
    return width % 4 == 0 ? output : output.sliced(0..<width, along: 3)
  }

  /// The attention by matrix products and a softmax.
  static func attentionComposed(_ inputs: [Tensor], _ options: AttentionOptions) -> Tensor {
    AttentionInputs(options, inputs).composed
  }
}

/// What may not be read, as one tensor that is added to the scores, and lengths.
private struct AttentionMasks {
  /// Rank 4; nil where nothing is added.
  private(set) var additive: Tensor?
  /// `int32`, shape `[batch]`.
  private(set) var lengths: Tensor?

  init(
    outer: [Int], scores: [Int], keyPadding: Tensor?, mask: Tensor?, file: StaticString, line: UInt
  ) {
    let batch = outer.reduce(1, *)
    if let mask {
      let full = outer + scores
      require(
        mask.shape.broadcast(with: Shape(full)) == Shape(full)
          && (mask.elementType == .bool || mask.elementType.isFloating),
        "attention: the mask \(mask.signature) must be bool or real and broadcast to \(full)", file: file,
        line: line)
      var extents = Array(repeating: 1, count: full.count - mask.rank) + mask.shape.extents
      let own = Array(extents.prefix(outer.count))
      // Outer axes become one, which can be read with a stride where all or none of them vary.
      if own != outer && own.contains(where: { $0 != 1 }) {
        extents.replaceSubrange(0..<outer.count, with: outer)
      }
      let whole = mask.reshaped(
        to: Shape(Array(repeating: 1, count: full.count - mask.rank) + mask.shape.extents)
      )
      .broadcast(to: Shape(extents))
      let rows = [extents.prefix(outer.count).reduce(1, *)] + extents.suffix(3)
      additive = Self.additive(whole.reshaped(to: Shape(rows)))
    }
    guard let keyPadding else { return }
    if keyPadding.elementType == .bool {
      require(
        keyPadding.shape == Shape(outer + [scores[2]]),
        "attention: the key padding \(keyPadding.signature) must be \(outer + [scores[2]])", file: file,
        line: line)
      let padding = Self.additive(keyPadding.reshaped(to: [batch, 1, 1, scores[2]]))
      additive = additive.map { .map($0, padding) { .maximum($0 + $1, Scalar(Attention.lowest)) } } ?? padding
    } else {
      require(
        keyPadding.elementType == .int32 && keyPadding.shape == Shape(outer),
        "attention: the key padding \(keyPadding.signature) must be bool \(outer + [scores[2]]) or int32 \(outer)",
        file: file, line: line)
      lengths = keyPadding.reshaped(to: [batch])
    }
  }

  private static func additive(_ mask: Tensor) -> Tensor {
    mask.elementType == .bool
      ? .select(mask, .zeros(mask.shape), .full(mask.shape, Attention.lowest)) : mask
  }
}
