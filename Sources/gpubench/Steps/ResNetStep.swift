import HeklaArrays
import HeklaNN
import HeklaTensors

extension TrainingStep {
  static let resNet = TrainingStep(
    "resnet",
    summary: """
      residual network of 3 stages of 2 blocks with 16, 32 and 64
      channels, batch norm, on 3x32x32 images, batch 32; SGD 0.1 with
      momentum 0.9
      """,
    batchSize: 32
  ) { key, count in
    let model = ResNet(key: key.folded(in: "model"))
    let data = ClassifiedData(classCount: 10, extent: 3 * 32 * 32, key: key.folded(in: "data"))
    let batches = (0..<4).map { number in
      let (values, labels) = data.batch(number, count: count)
      return [HostArray(values, shape: [count, 3, 32, 32]), HostArray(labels)]
    }
    let descent = SGD(for: model.trainableParameters, learningRate: 0.1, momentum: 0.9)
    return Training(of: model, by: descent, on: batches) { batch in
      let (logits, updates) = model(batch[0])
      return (crossEntropy(logits: logits, labels: batch[1]), updates)
    }
  }
}

/// Basic blocks for small images. Source: He et al. 2016, "Deep residual learning for image recognition", section 4.2,
/// with projections on the shortcuts.
private struct ResNet: Module {
  let stem: NormalizedConvolution
  let blocks: [ResidualBlock]
  let output: Linear

  init(key: RandomKey) {
    stem = NormalizedConvolution(channels: 3, features: 16, kernel: 3, key: key.folded(in: "stem"))
    var (channels, blocks) = (16, [ResidualBlock]())
    for (stage, features) in [16, 32, 64].enumerated() {
      for number in 0..<2 {
        blocks.append(
          ResidualBlock(
            channels: channels, features: features, stride: number == 0 && stage > 0 ? 2 : 1,
            key: key.folded(in: "block").folded(in: UInt64(2 * stage + number))))
        channels = features
      }
    }
    self.blocks = blocks
    output = Linear(inputs: 64, outputs: 10, key: key.folded(in: "output"))
  }

  func callAsFunction(_ x: Tensor) -> (logits: Tensor, updates: [Assignment]) {
    var updates: [Assignment] = []
    var x = stem(x, &updates).relu()
    for block in blocks { x = block(x, &updates) }
    return (output(x.mean(along: [2, 3])), updates)
  }
}

private struct ResidualBlock: Module {
  let first, second: NormalizedConvolution
  /// Where shapes change.
  let shortcut: NormalizedConvolution?

  init(channels: Int, features: Int, stride: Int, key: RandomKey) {
    first = NormalizedConvolution(
      channels: channels, features: features, kernel: 3, stride: stride, key: key.folded(in: "first"))
    second = NormalizedConvolution(
      channels: features, features: features, kernel: 3, key: key.folded(in: "second"))
    shortcut =
      stride == 1 && channels == features
      ? nil
      : NormalizedConvolution(
        channels: channels, features: features, kernel: 1, stride: stride, key: key.folded(in: "shortcut"))
  }

  func callAsFunction(_ x: Tensor, _ updates: inout [Assignment]) -> Tensor {
    let inner = first(x, &updates).relu()
    let sum = second(inner, &updates) + (shortcut.map { $0(x, &updates) } ?? x)
    return sum.relu()
  }
}

/// A convolution without a shift, padded by half a window, and its normalization over the batch.
private struct NormalizedConvolution: Module {
  let convolution: Convolution
  let normalization: BatchNormalization

  init(channels: Int, features: Int, kernel: Int, stride: Int = 1, key: RandomKey) {
    convolution = Convolution(
      channels: channels, features: features, kernel: [kernel, kernel], strides: [stride, stride],
      padding: .symmetric([kernel / 2, kernel / 2]), bias: false, key: key)
    normalization = BatchNormalization(channels: features)
  }

  func callAsFunction(_ x: Tensor, _ updates: inout [Assignment]) -> Tensor {
    let (output, moved) = normalization.training(convolution(x))
    updates += moved
    return output
  }
}
