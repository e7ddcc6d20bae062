import HeklaArrays
import HeklaNN
import HeklaTensors

extension TrainingStep {
  static let leNet = TrainingStep(
    "lenet",
    summary: "LeNet-300-100 (784-300-100-10, ReLU), batch 60; Adam 1.2e-3",
    batchSize: 60
  ) { key, count in
    let model = LeNet(key: key.folded(in: "model"))
    let data = ClassifiedData(classCount: 10, extent: 784, key: key.folded(in: "data"))
    let batches = (0..<8).map { number in
      let (values, labels) = data.batch(number, count: count)
      return [HostArray(values, shape: [count, 784]), HostArray(labels)]
    }
    let adam = Adam(for: model.trainableParameters, learningRate: 1.2e-3)
    return Training(of: model, by: adam, on: batches) { batch in
      (crossEntropy(logits: model(batch[0]), labels: batch[1]), [])
    }
  }
}

/// Two hidden layers. Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition".
private struct LeNet: Module {
  let first, second, output: Linear

  init(key: RandomKey) {
    first = Linear(inputs: 784, outputs: 300, key: key.folded(in: "first"))
    second = Linear(inputs: 300, outputs: 100, key: key.folded(in: "second"))
    output = Linear(inputs: 100, outputs: 10, key: key.folded(in: "output"))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { output(second(first(x).relu()).relu()) }
}
