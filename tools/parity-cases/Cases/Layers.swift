import HeklaArrays
import HeklaNN
import HeklaTensors

extension CaseTable {
  /// Attention in its forms; the last array is the mask or the lengths where there is one.
  mutating func addAttention() {
    func attention(_ x: [Tensor], isCausal: Bool = false, mask: Tensor? = nil, scale: Double? = nil) -> Tensor
    {
      .attention(
        queries: x[0], keys: x[1], values: x[2], scale: scale, isCausal: isCausal, mask: mask)
    }
    for size in [16, 64, 80, 128, 256] { add("attention-\(size)") { attention($0) } }
    add("attention-causal") { attention($0, isCausal: true) }
    add("attention-causal-longer-keys") { attention($0, isCausal: true) }
    add("attention-cross") { attention($0) }
    add("attention-grouped") { attention($0, isCausal: true) }
    add("attention-multi-query") { attention($0) }
    add("attention-value-width") { attention($0) }
    add("attention-odd-width") { attention($0) }
    add("attention-scale") { attention($0, scale: 0.5) }
    add("attention-bool-mask") { attention($0, mask: $0[3]) }
    add("attention-additive-mask") { attention($0, mask: $0[3]) }
    add("attention-key-padding") {
      Tensor.attention(queries: $0[0], keys: $0[1], values: $0[2], keyPadding: $0[3])
    }
    add("attention-lengths-causal") {
      Tensor.attention(queries: $0[0], keys: $0[1], values: $0[2], isCausal: true, keyPadding: $0[3])
    }
    addModule(
      "multi-head-attention", MultiHeadAttention(width: 24, heads: 4, key: RandomKey(seed: 1)),
      { layer in
        [layer.query, layer.key, layer.value, layer.output].flatMap { [$0.weight, $0.bias] }
      }
    ) { layer, x in [layer(x[0])] }
  }

  /// Linear maps, normalizations and embeddings with their learned arrays.
  mutating func addNormalizations() {
    addModule("linear", Linear(inputs: 33, outputs: 17, key: RandomKey(seed: 1)), { [$0.weight, $0.bias] }) {
      [$0($1[0])]
    }
    addModule("layer-norm", LayerNormalization(width: 65), { [$0.scale, $0.shift] }) { [$0($1[0])] }
    addModule("layer-norm-shifted", LayerNormalization(width: 65), { [$0.scale, $0.shift] }) { [$0($1[0])] }
    addModule("rms-norm", RootMeanSquareNormalization(width: 40), { [$0.scale] }) { [$0($1[0])] }
    addModule("group-norm", GroupNormalization(channels: 6, groups: 3), { [$0.scale, $0.shift] }) {
      [$0($1[0])]
    }
    addModule("instance-norm", GroupNormalization.instance(channels: 4), { [$0.scale, $0.shift] }) {
      [$0($1[0])]
    }
    addModule("batch-norm-training", BatchNormalization(channels: 5), { [$0.scale, $0.shift] }) {
      [$0.training($1[0]).output]
    }
    addModule("batch-norm-running", BatchNormalization(channels: 5), { [$0.scale, $0.shift] }) {
      $0.training($1[0]).updates.map(\.value)
    }
    addModule(
      "batch-norm-evaluation", BatchNormalization(channels: 5),
      { [$0.runningMean.parameter, $0.runningVariance.parameter, $0.scale, $0.shift] }
    ) { [$0($1[0])] }
    addModule("embedding", Embedding(count: 11, width: 6, key: RandomKey(seed: 1)), { [$0.weight] }) {
      [$0($1[0])]
    }
    addModule("embedding-bag-sum", Embedding(count: 11, width: 6, key: RandomKey(seed: 1)), { [$0.weight] }) {
      [$0.bags($1[0], in: Segments(at: $1[1], count: 5))]
    }
    addModule("embedding-bag-mean", Embedding(count: 11, width: 6, key: RandomKey(seed: 1)), { [$0.weight] })
    {
      [$0.bags($1[0], in: Segments(at: $1[1], count: 5), takesMean: true)]
    }
    add("rotary-positions") { RotaryPositions()($0[0]) }
  }

  /// Losses and their reductions.
  mutating func addLosses() {
    add("cross-entropy") { crossEntropy(logits: $0[0], labels: $0[1]) }
    add("cross-entropy-none") { crossEntropy(logits: $0[0], labels: $0[1], reduction: .none) }
    add("cross-entropy-sum") { crossEntropy(logits: $0[0], labels: $0[1], reduction: .sum) }
    add("cross-entropy-smoothing") { crossEntropy(logits: $0[0], labels: $0[1], smoothing: 0.1) }
    add("cross-entropy-ignore") { crossEntropy(logits: $0[0], labels: $0[1], ignoring: -100) }
    add("cross-entropy-ignore-smoothing") {
      crossEntropy(logits: $0[0], labels: $0[1], smoothing: 0.2, ignoring: 3)
    }
    add("cross-entropy-soft") { crossEntropy(logits: $0[0], probabilities: $0[1]) }
    add("cross-entropy-class-weights") {
      // Weighted means are spelled out: there is no option for them.
      let weights = $0[2].gathered(at: $0[1])
      return (crossEntropy(logits: $0[0], labels: $0[1], reduction: .none) * weights).sum() / weights.sum()
    }
    add("nll") { negativeLogLikelihood(logProbabilities: $0[0].logSoftmax(), labels: $0[1]) }
    add("bce-logits") { binaryCrossEntropy(logits: $0[0], targets: $0[1]) }
    add("bce-logits-none") { binaryCrossEntropy(logits: $0[0], targets: $0[1], reduction: .none) }
    add("mse") { meanSquaredError($0[0], $0[1]) }
    add("l1-loss") { meanAbsoluteError($0[0], $0[1]) }
    add("huber") { huberLoss($0[0], $0[1], threshold: 0.5) }
    add("smooth-l1") { huberLoss($0[0], $0[1], threshold: 0.5) / 0.5 }
    add("log-cosh") { logCoshLoss($0[0], $0[1], reduction: .none) }
    add("hinge") { hingeLoss($0[0], labels: $0[1]) }
    add("kl-divergence") { klDivergence(of: $0[1], from: $0[0]) }
    add("cosine-loss") { cosineLoss($0[0], $0[1], isSame: $0[2], margin: 0.2) }
    add("triplet") { tripletLoss(anchors: $0[0], positives: $0[1], negatives: $0[2]) }
    add("accuracy") { accuracy(logits: $0[0], labels: $0[1]) }
  }

  /// Ten steps along given gradients.
  mutating func addOptimizers() {
    addTraining("sgd") { SGD(for: [$0], learningRate: 0.1) }
    addTraining("sgd-momentum") { SGD(for: [$0], learningRate: 0.1, momentum: 0.9) }
    addTraining("sgd-nesterov") {
      SGD(for: [$0], learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 0.01)
    }
    addTraining("adam") { Adam(for: [$0], learningRate: 0.01) }
    addTraining("adam-decay") {
      Adam(for: [$0], learningRate: 0.01, beta1: 0.8, beta2: 0.99, weightDecay: 0.1)
    }
    addTraining("adamw") { AdamW(for: [$0], learningRate: 0.01, weightDecay: 0.1) }
    addTraining("rmsprop") { RMSProp(for: [$0], learningRate: 0.01, decay: 0.9) }
    addTraining("rmsprop-momentum") { RMSProp(for: [$0], learningRate: 0.01, momentum: 0.9) }
    addTraining("adagrad") { Adagrad(for: [$0], learningRate: 0.1) }
  }
}
