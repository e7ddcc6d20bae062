import HeklaArrays
import HeklaNN
import HeklaTensors

extension TrainingStep {
  static let tabular = TrainingStep(
    "tabular",
    summary: """
      3 layers of self-attention over 16 fields of 1,000 values,
      embedded in 16 numbers, 2 heads of 16, batch 1024; Adam 1e-3
      """,
    batchSize: 1_024
  ) { key, count in
    let model = FieldNetwork(key: key.folded(in: "model"))
    let batches = (0..<8).map { rows(count, key: key.folded(in: "data"), number: $0) }
    let adam = Adam(for: model.trainableParameters, learningRate: 1e-3)
    return Training(of: model, by: adam, on: batches) { batch in
      (binaryCrossEntropy(logits: model(batch[0]), targets: batch[1]), [])
    }
  }

  /// The symbols of `count` rows, `[count, 16]`, each field's behind those of the field before, and targets: whether more
  /// of a row's values are lucky than not, as half of each field's values are.
  private static func rows(_ count: Int, key: RandomKey, number: Int) -> [HostArray] {
    let draws = key.folded(in: UInt64(number))
    var (symbols, targets) = ([Int32](), [Float]())
    for row in 0..<count {
      var luck = 0
      for field in 0..<16 {
        let symbol = 1_000 * field + Int(draws.word(at: 16 * row + field) % 1_000)
        luck += key.word(at: symbol) & 1 == 1 ? 1 : -1
        symbols.append(Int32(symbol))
      }
      targets.append(luck > 0 ? 1 : 0)
    }
    return [HostArray(symbols, shape: [count, 16]), HostArray(targets)]
  }
}

/// Fields that read each other. Source: Song et al. 2019, "AutoInt", section 4, with scores divided by the root of
/// their length.
private struct FieldNetwork: Module {
  let embedding: Embedding
  let layers: [InteractingLayer]
  let output: Linear

  init(key: RandomKey) {
    embedding = Embedding(
      count: 16_000, width: 16, initializer: .normal(standardDeviation: 0.1), key: key.folded(in: "embedding")
    )
    layers = key.folded(in: "layers").split(into: 3).enumerated().map { number, key in
      InteractingLayer(inputs: number == 0 ? 16 : 32, key: key)
    }
    output = Linear(inputs: 16 * 32, outputs: 1, key: key.folded(in: "output"))
  }

  /// The log-odds of each row.
  func callAsFunction(_ symbols: Tensor) -> Tensor {
    let fields = layers.reduce(embedding(symbols)) { $1($0) }
    return output(fields.reshaped(to: [-1, 16 * 32])).reshaped(to: [-1])
  }
}

/// relu(attention(x) + x W): two heads of 16, which nothing mixes.
private struct InteractingLayer: Module {
  let query, key, value, residual: Linear

  init(inputs: Int, key: RandomKey) {
    func linear(_ name: String) -> Linear {
      Linear(inputs: inputs, outputs: 32, bias: false, key: key.folded(in: name))
    }
    (query, self.key) = (linear("query"), linear("key"))
    (value, residual) = (linear("value"), linear("residual"))
  }

  /// `[rows, fields, 32]` from `[rows, fields, inputs]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    func heads(_ layer: Linear) -> Tensor {
      layer(x).reshaped(to: [x.shape[0], x.shape[1], 2, 16]).transposed(1, 2)
    }
    let read = Tensor.attention(queries: heads(query), keys: heads(key), values: heads(value))
    return (read.transposed(1, 2).reshaped(to: [x.shape[0], x.shape[1], 32]) + residual(x)).relu()
  }
}
