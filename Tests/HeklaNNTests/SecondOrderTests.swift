import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

/// Gradients of gradients through losses, normalizations and activations, against central differences.
@Suite struct SecondOrderTests {
  private static let labels = Tensor([Int32(2), 0, 1])
  private static let targets = Tensor(numbers(12, seed: 91), shape: [3, 4])

  /// Functions of a tensor `[3, 4]` of float64.
  static let functions: [(name: String, function: @Sendable (Tensor) -> Tensor)] = [
    ("cross-entropy", { crossEntropy(logits: $0, labels: labels) }),
    (
      "smoothed cross-entropy", { crossEntropy(logits: $0, labels: labels, smoothing: 0.1, reduction: .none) }
    ),
    ("cross-entropy with probabilities", { crossEntropy(logits: $0, probabilities: targets.softmax()) }),
    (
      "binary cross-entropy",
      { binaryCrossEntropy(logits: $0 * 3, targets: targets.sigmoid(), reduction: .none) }
    ),
    ("negative log-likelihood", { negativeLogLikelihood(logProbabilities: $0.logSoftmax(), labels: labels) }),
    ("Kullback-Leibler divergence", { klDivergence(of: targets.softmax(), from: $0.logSoftmax()) }),
    ("mean squared error", { meanSquaredError($0.tanh(), targets) }),
    ("Huber loss", { huberLoss($0 * 2, targets, threshold: 0.5, reduction: .none) }),
    ("log-cosh loss", { logCoshLoss($0 * 2, targets, reduction: .none) }),
    ("cosine loss", { cosineLoss($0, targets) }),
    (
      "triplet loss",
      { tripletLoss(anchors: $0, positives: targets, negatives: targets.flipped(along: [0]), margin: 9) }
    ),
    ("layer normalization", { LayerNormalization(width: 4)($0) }),
    ("group normalization", { GroupNormalization(channels: 4, groups: 2)($0) }),
    ("instance normalization", { GroupNormalization.instance(channels: 3)($0.expanded(at: 0)) }),
    ("root mean square normalization", { RootMeanSquareNormalization(width: 4)($0) }),
    ("batch normalization", { BatchNormalization(channels: 4).training($0).output }),
    ("softplus", { $0.softplus() }), ("silu", { $0.silu() }), ("elu", { ($0 * 2).elu() }),
    ("leaky relu, squared", { $0.leakyRelu().squared() }),
  ]

  @Test(arguments: functions.indices)
  func `the gradient of a gradient is right`(index: Int) {
    let (name, function) = Self.functions[index]
    let error = gradientError(numbers(12, seed: 7), [3, 4]) { x in
      let output = function(x)
      let weights = Tensor(numbers(output.shape.count, seed: 8), shape: output.shape)
      let loss = (output.converted(to: .float64) * weights).sum()
      let slope = gradients(of: loss, withRespectTo: [x])[0]
      return (slope * Tensor(numbers(12, seed: 9), shape: [3, 4])).sum()
    }
    #expect(error < 1e-6, "\(name): \(error)")
  }
}
