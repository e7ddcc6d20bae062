import HeklaArrays
import HeklaNN
import HeklaTensors

/// A whole training step to measure: what one file under `Steps` describes.
struct TrainingStep: Sendable {
  /// What `step` calls it.
  let name: String
  /// Model, batch and optimizer, in lines for the help.
  let summary: String
  /// The examples of a step; nil where it has all that there are.
  let batchSize: Int?
  /// The model with its data, the same for the same key, in batches of `count` examples.
  private let makeTraining: @Sendable (_ key: RandomKey, _ count: Int) throws -> Training

  init(
    _ name: String, summary: String, batchSize: Int?,
    make: @escaping @Sendable (_ key: RandomKey, _ count: Int) throws -> Training
  ) {
    self.name = name
    self.summary = summary
    self.batchSize = batchSize
    makeTraining = make
  }

  /// The model with its data, the same for the same key.
  /// - Parameter batchSize: The examples of a step; the step's own where nil.
  func training(key: RandomKey, batchSize: Int? = nil) throws -> Training {
    guard let own = self.batchSize else {
      guard batchSize == nil else { throw BenchmarkError.noBatches(step: name) }
      return try makeTraining(key, 0)
    }
    return try makeTraining(key, batchSize ?? own)
  }

  /// All steps, in the order in which the help has them.
  static let all: [TrainingStep] = [.leNet, .resNet, .transformer, .dagnn, .lstm, .tabular]

  /// The names of all steps.
  static var allNames: [String] { all.map(\.name) }

  /// The step called `name`.
  static func named(_ name: String) throws(BenchmarkError) -> TrainingStep {
    guard let step = all.first(where: { $0.name == name }) else { throw .unknownStep(name) }
    return step
  }

  /// Names and summaries, for the help.
  static var help: String {
    all.map { step in
      let lines = step.summary.split(separator: "\n").map(String.init)
      let name = "  " + step.name + String(repeating: " ", count: max(13 - step.name.count, 1))
      return lines.enumerated()
        .map { ($0 == 0 ? name : String(repeating: " ", count: name.count)) + $1 }
        .joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

/// A model that is trained, and on what.
struct Training: Sendable {
  /// What steps are given in turn: each time one array per input.
  let batches: [[HostArray]]
  /// Everything that a step changes: the model's parameters and what the optimizer remembers.
  let parameters: [Parameter]
  /// The step on a batch, whose output is the loss.
  let describe: @Sendable (_ batch: [Tensor]) -> StepOutcome

  /// What a step computes: its loss, and what the model keeps besides what the optimizer changes.
  typealias StepOutcome = (loss: Tensor, assignments: [Assignment])

  /// - Parameters:
  ///   - model: What is trained.
  ///   - optimizer: How.
  ///   - batches: What steps are given in turn.
  ///   - objective: The loss on a batch, and what the model keeps of it, such as running statistics.
  init(
    of model: some Module, by optimizer: some Optimizer, on batches: [[HostArray]],
    objective: @escaping @Sendable (_ batch: [Tensor]) -> StepOutcome
  ) {
    self.batches = batches
    parameters = model.parameters().map(\.parameter) + optimizer.stateParameters
    describe = { batch in
      let outcome = objective(batch)
      return (outcome.loss, outcome.assignments + optimizer.assignments(minimizing: outcome.loss))
    }
  }

  /// What a step takes.
  var inputs: [Signature] { batches[0].map { Signature($0.shape, $0.elementType) } }
}
