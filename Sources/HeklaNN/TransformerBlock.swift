import HeklaArrays
import HeklaTensors

/// Self-attention and a perceptron of two layers at each position, each with a residual connection.
///
/// Sources: Vaswani et al. 2017, "Attention is all you need", section 3.1, for the norm after each sum; Xiong et al.
/// 2020, "On layer normalization in the transformer architecture", for the norm before each part.
public struct TransformerBlock: Module {
  /// Where the vectors are normalized.
  public enum Normalization: Sendable {
    /// Before each part, so that the residual path is the identity.
    case before
    /// After each sum, as first published.
    case after
  }

  /// The function between the perceptron's layers.
  public enum Activation: Sendable {
    /// Gaussian error linear unit, approximated by a tanh.
    case gelu
    /// max(x, 0).
    case relu
  }

  /// Reads other positions.
  public let attention: MultiHeadAttention
  /// The perceptron's first layer.
  public let expansion: Linear
  /// The perceptron's second layer.
  public let contraction: Linear
  /// The norm of the attention's input or sum.
  public let attentionNormalization: LayerNormalization
  /// The norm of the perceptron's input or sum.
  public let perceptronNormalization: LayerNormalization
  /// Drops what attention and perceptron add.
  public let dropout: Dropout
  /// Where the vectors are normalized.
  public let normalization: Normalization
  /// The function between the perceptron's layers.
  public let activation: Activation

  /// A block on vectors of `width` numbers.
  /// - Parameters:
  ///   - width: The innermost extent of what comes in and goes out.
  ///   - heads: The number of heads.
  ///   - groups: The number of heads of keys and values; nil is `heads`.
  ///   - hidden: The extent between the perceptron's layers; nil is four times `width`.
  ///   - normalization: Where the vectors are normalized.
  ///   - activation: The function between the perceptron's layers.
  ///   - dropout: The rate at which what the parts add is dropped.
  ///   - outputInitializer: Draws the weights of each part's last linear map; with `.zeros` no part adds anything at
  ///     first.
  ///   - key: What the weights are drawn from.
  public init(
    width: Int, heads: Int, groups: Int? = nil, hidden: Int? = nil, normalization: Normalization = .before,
    activation: Activation = .gelu, dropout: Double = 0, outputInitializer: Initializer = .glorotUniform,
    key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    attention = MultiHeadAttention(
      width: width, heads: heads, groups: groups, outputInitializer: outputInitializer,
      key: key.folded(in: "attention"), file: file, line: line)
    expansion = Linear(inputs: width, outputs: hidden ?? 4 * width, key: key.folded(in: "expansion"))
    contraction = Linear(
      inputs: hidden ?? 4 * width, outputs: width, initializer: outputInitializer,
      key: key.folded(in: "contraction"))
    attentionNormalization = LayerNormalization(width: width)
    perceptronNormalization = LayerNormalization(width: width)
    self.dropout = Dropout(rate: dropout, file: file, line: line)
    self.normalization = normalization
    self.activation = activation
  }

  /// The block's result, of the input's shape.
  /// - Parameters:
  ///   - x: Shape `[..., S, width]`.
  ///   - isCausal: Whether position s reads positions 0...s only.
  ///   - keyPadding: Which positions there are: `bool` `[..., S]` or `int32` `[...]`, how many.
  ///   - mask: See `Tensor.attention`.
  ///   - rotary: Turns queries and keys by their positions; nil leaves them.
  ///   - dropoutKey: A new one for each step and block in training; nil in evaluation.
  public func callAsFunction(
    _ x: Tensor, isCausal: Bool = false, keyPadding: Tensor? = nil, mask: Tensor? = nil,
    rotary: RotaryPositions? = nil, dropoutKey: Tensor? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    func attend(_ x: Tensor) -> Tensor {
      let read = attention(
        x, isCausal: isCausal, keyPadding: keyPadding, mask: mask, rotary: rotary, file: file, line: line)
      return dropout(read, key: dropoutKey?.folded(in: 0))
    }
    func think(_ x: Tensor) -> Tensor {
      let hidden = expansion(x, file: file, line: line)
      let result = contraction(activation == .gelu ? hidden.gelu() : hidden.relu(), file: file, line: line)
      return dropout(result, key: dropoutKey?.folded(in: 1))
    }
    switch normalization {
    case .before:
      let attended = x + attend(attentionNormalization(x, file: file, line: line))
      return attended + think(perceptronNormalization(attended, file: file, line: line))
    case .after:
      let attended = attentionNormalization(x + attend(x), file: file, line: line)
      return perceptronNormalization(attended + think(attended), file: file, line: line)
    }
  }
}
