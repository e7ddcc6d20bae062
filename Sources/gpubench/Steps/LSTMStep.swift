import HeklaArrays
import HeklaNN
import HeklaTensors

extension TrainingStep {
  static let lstm = TrainingStep(
    "lstm",
    summary: """
      one layer of 128 units over sequences of 64 steps of 32 numbers,
      10 classes from the last state, batch 32; Adam 1e-3
      """,
    batchSize: 32
  ) { key, count in
    let model = SequenceClassifier(key: key.folded(in: "model"))
    // One prototype for all steps, with noise of their own.
    let data = ClassifiedData(classCount: 10, extent: 32, key: key.folded(in: "data"))
    let batches = (0..<8).map { number in
      let steps = (0..<64).map { data.batch(64 * number + $0, count: count) }
      return [HostArray(steps.flatMap(\.values), shape: [64, count, 32]), HostArray(steps[0].labels)]
    }
    let adam = Adam(for: model.trainableParameters, learningRate: 1e-3)
    return Training(of: model, by: adam, on: batches) { batch in
      (crossEntropy(logits: model(batch[0]), labels: batch[1]), [])
    }
  }
}

/// A class for each sequence, from what a cell has in mind in the end.
private struct SequenceClassifier: Module {
  let recurrent: Recurrent<LSTMCell>
  let output: Linear

  init(key: RandomKey) {
    recurrent = Recurrent(LSTMCell(inputs: 32, width: 128, key: key.folded(in: "cell")))
    output = Linear(inputs: 128, outputs: 10, key: key.folded(in: "output"))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { output(recurrent(x).state[0]) }
}
