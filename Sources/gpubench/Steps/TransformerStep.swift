import HeklaArrays
import HeklaNN
import HeklaTensors

extension TrainingStep {
  static let transformer = TrainingStep(
    "transformer",
    summary: """
      4 pre-norm blocks of width 128, 4 heads and 512 hidden units
      (GELU by erf), causal, 256 symbols, sequences of 64, batch 32;
      Adam 1e-3
      """,
    batchSize: 32
  ) { key, count in
    let model = LanguageModel(key: key.folded(in: "model"))
    let batches = (0..<8).map { symbols(count, key: key.folded(in: "data").folded(in: UInt64($0))) }
    let adam = Adam(for: model.trainableParameters, learningRate: 1e-3)
    return Training(of: model, by: adam, on: batches) { batch in
      (crossEntropy(logits: model(batch[0]), labels: batch[1]), [])
    }
  }

  /// Sequences `[count, 64]`, and the next symbol at each of their positions: the one before in an order that can be
  /// learned, or one time in ten any.
  private static func symbols(_ count: Int, key: RandomKey) -> [HostArray] {
    var (inputs, targets) = ([Int32](), [Int32]())
    for sequence in 0..<count {
      var symbol = key.word(at: sequence * 65) % 256
      for position in 1...64 {
        let draw = key.word(at: sequence * 65 + position)
        inputs.append(Int32(symbol))
        symbol = draw % 10 == 0 ? (draw / 10) % 256 : (5 * symbol + 1) % 256
        targets.append(Int32(symbol))
      }
    }
    return [HostArray(inputs, shape: [count, 64]), HostArray(targets, shape: [count, 64])]
  }
}

/// Predicts each next symbol from those before it.
///
/// Sources: Vaswani et al. 2017, "Attention is all you need"; Xiong et al. 2020, "On layer normalization in the
/// transformer architecture", for the norms before each part.
private struct LanguageModel: Module {
  let embedding: Embedding
  /// A learned vector for each position, shape `[64, 128]`.
  let positions: Parameter
  let blocks: [Block]
  let normalization: LayerNormalization
  let output: Linear

  init(key: RandomKey) {
    embedding = Embedding(
      count: 256, width: 128, initializer: .normal(standardDeviation: 0.02), key: key.folded(in: "embedding"))
    positions = Parameter(.normal([64, 128], key: key.folded(in: "positions"), standardDeviation: 0.02))
    blocks = key.folded(in: "blocks").split(into: 4).map { Block(key: $0) }
    normalization = LayerNormalization(width: 128)
    output = Linear(inputs: 128, outputs: 256, key: key.folded(in: "output"))
  }

  func callAsFunction(_ symbols: Tensor) -> Tensor {
    let vectors = embedding(symbols) + positions.tensor
    return output(normalization(blocks.reduce(vectors) { $1($0) }))
  }

  struct Block: Module {
    let attention: MultiHeadAttention
    let expansion, contraction: Linear
    let attentionNormalization, perceptronNormalization: LayerNormalization

    init(key: RandomKey) {
      attention = MultiHeadAttention(width: 128, heads: 4, key: key.folded(in: "attention"))
      expansion = Linear(inputs: 128, outputs: 512, key: key.folded(in: "expansion"))
      contraction = Linear(inputs: 512, outputs: 128, key: key.folded(in: "contraction"))
      attentionNormalization = LayerNormalization(width: 128)
      perceptronNormalization = LayerNormalization(width: 128)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let attended = x + attention(attentionNormalization(x), isCausal: true)
      // GELU itself, where `TransformerBlock` has the approximation by a hyperbolic tangent.
      let hidden = expansion(perceptronNormalization(attended)).map {
        0.5 * $0 * (1 + .erf($0 * Scalar(0.5.squareRoot())))
      }
      return attended + contraction(hidden)
    }
  }
}
