import HeklaArrays
import HeklaTensors

/// Several attentions side by side, each on a projection of its own, and a linear map of what they read.
///
/// Attention's weights are never dropped out: they are never in memory. Drop the result instead.
/// Sources: Vaswani et al. 2017, "Attention is all you need", section 3.2.2; Ainslie et al. 2023, "GQA", for groups.
public struct MultiHeadAttention: Module {
  /// Makes the queries, shape `[width, heads * headSize]`.
  public let query: Linear
  /// Makes the keys, shape `[memoryWidth, groups * headSize]`.
  public let key: Linear
  /// Makes the values, shape `[memoryWidth, groups * headSize]`.
  public let value: Linear
  /// Mixes what the heads read, shape `[heads * headSize, width]`.
  public let output: Linear
  /// The number of heads.
  public let heads: Int
  /// The number of heads of keys and values.
  public let groups: Int
  /// The extent of a query.
  public let headSize: Int

  /// An attention of `heads` heads on vectors of `width` numbers.
  /// - Parameters:
  ///   - width: The innermost extent of what comes in and goes out.
  ///   - heads: The number of heads, which divides `width` where no head size is given.
  ///   - groups: The number of heads of keys and values, which divides `heads`; nil is one for each head.
  ///   - headSize: The extent of a query; nil is `width / heads`.
  ///   - memoryWidth: The innermost extent of what keys and values are made from; nil is `width`.
  ///   - bias: Whether the linear maps have a shift.
  ///   - initializer: Draws the linear maps' weights.
  ///   - outputInitializer: Draws those of the last one, `output`; nil is `initializer`.
  ///   - key: What they are drawn from.
  public init(
    width: Int, heads: Int, groups: Int? = nil, headSize: Int? = nil, memoryWidth: Int? = nil,
    bias: Bool = true,
    initializer: Initializer = .glorotUniform, outputInitializer: Initializer? = nil, key: RandomKey,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let groups = groups ?? heads
    require(
      heads > 0 && groups > 0 && heads % groups == 0 && (headSize ?? 1) > 0
        && (headSize != nil || width % heads == 0),
      "multi-head-attention: \(heads) heads in \(groups) groups on width \(width); the groups must divide the heads, "
        + "and the heads the width where no head size is given", file: file, line: line)
    let size = headSize ?? width / heads
    func linear(_ inputs: Int, _ outputs: Int, _ name: String, _ other: Initializer? = nil) -> Linear {
      Linear(
        inputs: inputs, outputs: outputs, bias: bias, initializer: other ?? initializer,
        key: key.folded(in: name))
    }
    (self.heads, self.groups, self.headSize) = (heads, groups, size)
    query = linear(width, heads * size, "query")
    self.key = linear(memoryWidth ?? width, groups * size, "key")
    value = linear(memoryWidth ?? width, groups * size, "value")
    output = linear(heads * size, width, "output", outputInitializer)
  }

  /// What each position of `x` reads from `memory`, shape `[..., S, width]`.
  /// - Parameters:
  ///   - x: Shape `[..., S, width]`, of rank 2 or more.
  ///   - memory: Shape `[..., T, memoryWidth]`; nil is `x` itself, self-attention.
  ///   - isCausal: Whether position s reads positions 0...s only.
  ///   - keyPadding: Which positions of the memory there are: `bool` `[..., T]` or `int32` `[...]`, how many.
  ///   - mask: Added to the scores, or where they count; broadcasts to `[..., heads, S, T]`.
  ///   - rotary: Turns queries and keys by their positions; nil leaves them.
  public func callAsFunction(
    _ x: Tensor, memory: Tensor? = nil, isCausal: Bool = false, keyPadding: Tensor? = nil,
    mask: Tensor? = nil,
    rotary: RotaryPositions? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let memory = memory ?? x
    require(
      x.rank >= 2 && memory.rank == x.rank && x.shape.extents.dropLast(2) == memory.shape.extents.dropLast(2),
      "multi-head-attention: the input \(x.shape) and the memory \(memory.shape) must be [..., S, width] and "
        + "[..., T, memory width]", file: file, line: line)
    var queries = split(query(x, file: file, line: line), heads)
    var keys = split(key(memory, file: file, line: line), groups)
    let values = split(value(memory, file: file, line: line), groups)
    if let rotary { (queries, keys) = (rotary(queries), rotary(keys)) }
    let read = Tensor.attention(
      queries: queries, keys: keys, values: values, isCausal: isCausal, keyPadding: keyPadding, mask: mask,
      file: file,
      line: line)
    let joined = read.transposed(-3, -2).reshaped(
      to: Shape(Array(x.shape.extents.dropLast()) + [heads * headSize]))
    return output(joined, file: file, line: line)
  }

  /// `[..., S, count * headSize]` as `[..., count, S, headSize]`.
  private func split(_ x: Tensor, _ count: Int) -> Tensor {
    x.reshaped(to: Shape(Array(x.shape.extents.dropLast()) + [count, headSize])).transposed(-3, -2)
  }
}
