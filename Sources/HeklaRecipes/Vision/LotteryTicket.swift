import Foundation
import Hekla
import HeklaExperiments

/// Finds winning tickets: sparse subnetworks that, trained from their own first weights, match the dense network.
///
/// Iterative magnitude pruning with resetting, f(x; m * theta): train theta_0 for j iterations to theta_j; in each
/// layer prune the fraction p of the remaining weights with the smallest |theta_j| (p/2 in the output layer, biases
/// never); reset the others to theta_0; repeat. A ticket is compared with the same mask on fresh weights ("random
/// reinitialization"), a random mask of the same counts ("random sparsity") and one cut to the same counts
/// ("one-shot pruning").
///
/// Departures: without a data folder, the 8 x 8 digits and a 64-128-64-10 network instead of MNIST and LeNet-300-100;
/// on MNIST 4,000 iterations a round. Fully connected networks only. The early-stopping iteration is looked for every
/// `interval` iterations.
struct LotteryTicket: Experiment {
  static let paper = Paper(
    "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks", by: "Frankle and Carbin",
    year: 2019,
    id: "arXiv:1803.03635")

  /// `digits`, `mnist` or `fashion`; `auto` is MNIST where a data folder is given, else the digits.
  var data = "auto"
  /// Rounds of pruning; 0 for what the data asks: 12 on digits, 15 on MNIST. Negative for the dense network alone.
  var rounds = 0
  /// Iterations of each training run, j in the paper; 0 for what the data asks: 600 on digits, 4,000 on MNIST.
  var iterations = 0
  /// Independent repetitions; 0 for what the data asks: 5 on digits, 3 on MNIST.
  var repetitions = 0
  /// The fraction of the remaining weights that a round prunes.
  var p = 0.2
  /// Adam's step size.
  var learningRate = 0.0012
  /// Images in a batch.
  var batch = 60
  /// Iterations between two looks at the validation loss; 0 for what the data asks: 10 on digits, 100 on MNIST.
  var interval = 0

  static let settingNotes = [
    "data": "digits, mnist or fashion; auto is MNIST where a data folder is given, else the embedded digits",
    "rounds": "rounds of pruning; 0 is 12 on digits, 15 on MNIST; negative trains the dense network alone",
    "iterations": "iterations of each training run; 0 is 600 on digits, 4000 on MNIST",
    "repetitions": "independent repetitions; 0 is 5 on digits, 3 on MNIST",
    "p": "the fraction of the remaining weights that a round prunes, half of it in the output layer",
    "learningRate": "Adam's step size",
    "batch": "images in a batch",
    "interval": "iterations between two looks at the validation loss; 0 is 10 on digits, 100 on MNIST",
  ]

  static let claims = [
    Claim("the dense network learns the digits", source: "reduced setting A") {
      $0["digits.accuracy.dense"] >= 0.96
    },
    Claim("the dense network learns MNIST", source: "figure 3") { $0["mnist.accuracy.dense"] >= 0.975 },
    Claim("a ticket with a fifth of the weights is as accurate as the dense network", source: "figure 4a") {
      $0["accuracy.ticket.fifth"] >= $0["accuracy.dense"] - 0.005
    },
    Claim("where fresh weights have lost 0.03, the ticket has not lost 0.02", source: "figure 4a") {
      $0["accuracy.ticket.far"] >= $0["accuracy.dense"] - 0.02
        && $0["accuracy.reinit.far"] <= $0["accuracy.dense"] - 0.03
    },
    Claim("below a tenth, a ticket beats its own mask on fresh weights", source: "figure 4a") {
      $0["accuracy.ticket.low"] >= $0["accuracy.reinit.low"] && $0["gain.best"] >= 0.01
    },
    Claim(
      "and fresh weights under that mask are no worse than a random mask, within noise", source: "figure 4a"
    ) {
      $0["accuracy.reinit.low"] >= $0["accuracy.random.low"] - $0["noise.low"]
    },
    Claim(
      "the ticket with 21% left learns faster than the dense network and ends no worse",
      source: "figure 3, 4a"
    ) {
      $0["mnist.iteration.ticket.fifth"] < $0["mnist.iteration.dense"]
        && $0["mnist.accuracy.ticket.fifth"] >= $0["mnist.accuracy.dense"]
    },
    Claim(
      "the ticket with under 5% left keeps the accuracy; its mask on fresh weights learns slower",
      source: "figure 4"
    ) {
      $0["mnist.accuracy.ticket.last"] >= $0["mnist.accuracy.dense"] - 0.005
        && $0["mnist.iteration.reinit.last"] > $0["mnist.iteration.dense"]
    },
    Claim(
      "pruned weights are exactly 0, counts follow the schedule, survivors restart at theta_0",
      source: "section 2"
    ) {
      $0["exact.prunedNotZero"] == 0 && $0["exact.countsOff"] == 0 && $0["exact.resetsOff"] == 0
    },
  ]
}

// MARK: - Data

extension LotteryTicket {
  /// A data set with the network and the schedule that go with it.
  struct Problem {
    let name: String
    /// uint8 images [count, height, width], int32 labels [count]; pixels reach `white`.
    let train, validation, test: LabeledImages
    let white: Double
    /// Extents of the layers, from pixels to classes.
    let extents: [Int]
    let iterations, rounds, repetitions, interval: Int
  }

  func problem(_ context: RunContext) throws -> Problem {
    guard p > 0, p < 1 else {
      throw rejected("p", "\(p)", "the fraction pruned in a round lies between 0 and 1")
    }
    guard batch > 0 else { throw rejected("batch", "\(batch)", "a batch has at least one image") }
    guard learningRate > 0 else {
      throw rejected("learningRate", "\(learningRate)", "a step size is positive")
    }
    for (name, value) in [("iterations", iterations), ("repetitions", repetitions), ("interval", interval)]
    where value < 0 { throw rejected(name, "\(value)", "it is positive, or 0 for what the data asks") }

    let isDigits = data == "digits" || (data == "auto" && context.dataFolder == nil)
    let parts = isDigits ? try digits() : try images(context)
    guard !parts.contains(where: { $0.count == 0 }) else {
      throw rejected("data", data, "of training, validation and test images, one has none")
    }
    guard batch <= parts[0].count else {
      throw rejected("batch", "\(batch)", "there are \(parts[0].count) images to train on")
    }
    func chosen(_ setting: Int, _ digits: Int, _ mnist: Int) -> Int {
      setting != 0 ? setting : isDigits ? digits : mnist
    }
    let j = context.limits.stepCount(chosen(iterations, 600, 4000), stepsPerEpoch: parts[0].count / batch)
    return Problem(
      name: isDigits ? "digits" : data == "fashion" ? "fashion" : "mnist",
      train: parts[0], validation: parts[1], test: parts[2], white: isDigits ? 16 : 255,
      extents: [parts[0].imageShape.count] + (isDigits ? [128, 64] : [300, 100]) + [parts[0].classCount],
      iterations: max(1, j), rounds: max(0, chosen(rounds, 12, 15)), repetitions: chosen(repetitions, 5, 3),
      interval: chosen(interval, 10, 100))
  }

  /// 1,297 images to train on, 200 to validate, 300 to test; the same for every seed.
  private func digits() throws -> [LabeledImages] {
    try Digits.labeledImages.split(counts: [1297, 200, 300], key: RandomKey(seed: 64))
  }

  /// MNIST, or Fashion-MNIST: 5,000 training images, a tenth of a smaller set, are held out to validate.
  private func images(_ context: RunContext) throws -> [LabeledImages] {
    let variants: [String: MNIST.Variant] = ["auto": .digits, "mnist": .digits, "fashion": .fashion]
    guard let variant = variants[data] else {
      throw rejected("data", data, "it is auto, digits, mnist or fashion")
    }
    let folder = try context.requiredDataFolder(for: Self.name, contents: "the files of \(variant.title)")
      .path
    let all = try MNIST.load(.train, from: folder, variant: variant)
    let held = min(5000, all.count / 10)
    return try all.split(counts: [all.count - held, held], key: RandomKey(seed: 28))
      + [MNIST.load(.test, from: folder, variant: variant)]
  }

  private func rejected(_ name: String, _ given: String, _ reason: String) -> ExperimentError {
    .settingRejected(name, owner: Self.name, given: given, reason: reason)
  }
}

// MARK: - Model

extension LotteryTicket {
  /// f(x; theta): fully connected layers with rectified units between them. Glorot normal weights, biases 0.
  struct Network: Module {
    let hidden: [Linear]
    let output: Linear

    init(_ extents: [Int], key: RandomKey) {
      let layers = zip(extents, extents.dropFirst()).enumerated().map { number, pair in
        Linear(
          inputs: pair.0, outputs: pair.1, initializer: .glorotNormal, key: key.folded(in: UInt64(number)))
      }
      (hidden, output) = (Array(layers.dropLast()), layers[layers.count - 1])
    }

    /// Logits [count, classes] of images [count, pixels].
    func callAsFunction(_ x: Tensor) -> Tensor { output(hidden.reduce(x) { x, layer in layer(x).relu() }) }

    /// What is pruned, layer by layer.
    var weights: [Parameter] { hidden.map(\.weight) + [output.weight] }

    /// The weights, then the biases, which are not pruned.
    var theta: [Parameter] { weights + (hidden + [output]).compactMap(\.bias) }
  }
}

// MARK: - Objective

extension LotteryTicket {
  /// Cross-entropy and accuracy on the images that `rows` names, on all where it is nil.
  static func objective(
    _ f: Network, _ images: LabeledImages, white: Double, rows: Tensor? = nil
  ) -> (loss: Tensor, accuracy: Tensor) {
    let pixels = Tensor(images.images.reshaped(to: [images.count, images.imageShape.count]))
    let labels = Tensor(images.labels)
    let x = (rows.map { pixels.gathered(at: $0) } ?? pixels).converted(to: .float32) * (1 / white)
    let y = rows.map { labels.gathered(at: $0) } ?? labels
    let logits = f(x)
    return (crossEntropy(logits: logits, labels: y), accuracy(logits: logits, labels: y))
  }
}

// MARK: - Training

extension LotteryTicket {
  func run(_ context: RunContext) throws -> RunRecord {
    let problem = try problem(context)
    let trainer = try Trainer(
      problem, batch: batch, learningRate: learningRate, on: context.makeExecutor())
    let count = problem.repetitions * (1 + 4 * problem.rounds)
    let progress = context.progress("lottery-ticket on \(problem.name)", total: count * problem.iterations)
    var study = Study(name: problem.name)
    for repetition in 0..<problem.repetitions {
      let key = context.key.folded(in: UInt64(repetition))
      let theta0 = try trainer.drawn(key.folded(in: "theta_0"))
      let theta0Again = try trainer.drawn(key.folded(in: "theta_0'"))

      /// Trains one network and notes what became of it; the order of batches is the same for all.
      func trained(_ kind: Kind, _ round: Int, _ theta: [HostArray], _ m: PruningMask) throws -> Trainer.Run {
        let run = try trainer.train(theta, m, key: key.folded(in: "batches")) { loss in
          study.losses.append(loss)
          progress.advance(to: study.losses.count, loss: loss)
        }
        study.check(run, m, startingFrom: theta)
        let outcome = Outcome(
          kind: kind, repetition: repetition, round: round, left: m.density, iteration: Double(run.iteration),
          accuracy: run.accuracy)
        study.outcomes.append(outcome)
        try context.output?.append(outcome.line)
        return run
      }

      let all = PruningMask(keepingAllOf: trainer.f.weights.map(\.shape))
      let dense = try trained(.dense, 0, theta0, all)
      var (m, ticket, counts) = (all, dense, all.counts)
      for round in stride(from: 1, through: problem.rounds, by: 1) {
        counts = try remaining(counts)
        m = m.keepingLargest(counts, of: ticket.theta)
        if m.counts != counts { study.countsOff += 1 }
        ticket = try trained(.ticket, round, theta0, m)
        _ = try trained(.reinit, round, theta0Again, m)
        let random = PruningMask(
          keeping: counts, atRandomOf: all.layers.map(\.shape), key: key.folded(in: "random \(round - 1)"))
        _ = try trained(.random, round, theta0, random)
        _ = try trained(.oneShot, round, theta0, all.keepingLargest(counts, of: dense.theta))
      }
    }
    progress.finish()
    if let output = context.output { try study.draw(into: output) }
    return try context.record(of: self, losses: study.losses, metrics: study.metrics)
  }

  /// How many weights a round leaves in each layer: the output layer is pruned at half the rate.
  func remaining(_ counts: [Int]) throws(ExperimentError) -> [Int] {
    var left = counts
    for (layer, count) in counts.enumerated() {
      let rate = layer == counts.count - 1 ? p / 2 : p
      left[layer] -= Int((Double(count) * rate).rounded())
      guard left[layer] > 0 else {
        throw .stopped(
          owner: Self.name, reason: "pruning \(rate) of \(count) weights would empty layer \(layer)")
      }
    }
    return left
  }

  /// Trains masked networks: compiled once, then given other weights and masks.
  struct Trainer {
    /// What a training run began and ended with.
    struct Run {
      /// m * theta_0 and theta_j, as the device held them.
      var start, theta: [HostArray]
      /// The iteration of minimum validation loss, and the test accuracy there.
      var iteration = 0
      var accuracy = 0.0
    }

    let f: Network
    private let problem: Problem
    private let batch: Int
    private let executor: PlanExecutor
    private let masks: [Parameter]
    private let step, validation, test, reset: CompiledStep

    init(_ problem: Problem, batch: Int, learningRate: Double, on executor: PlanExecutor) throws {
      let f = Network(problem.extents, key: RandomKey(seed: 0))
      let optimizer = Adam(for: f.theta, learningRate: learningRate)
      let masks = f.weights.map { Parameter(.ones($0.shape)) }
      // The images stay on the device; a step is given the rows of its batch.
      step = try executor.compile(inputs: [Signature([batch], .int32)]) { rows in
        let loss = objective(f, problem.train, white: problem.white, rows: rows[0]).loss
        let m = Dictionary(uniqueKeysWithValues: zip(f.weights, masks.map(\.tensor)))
        return StepDescription(
          outputs: [loss], assignments: optimizer.assignments(minimizing: loss, masks: m))
      }
      func evaluation(_ images: LabeledImages) throws -> CompiledStep {
        let (loss, accuracy) = objective(f, images, white: problem.white)
        return try executor.compile(StepDescription(outputs: [loss, accuracy]))
      }
      (validation, test) = (try evaluation(problem.validation), try evaluation(problem.test))
      reset = try executor.compile(StepDescription(assignments: optimizer.stateParameters.resetting()))
      (self.f, self.problem, self.batch, self.executor, self.masks) = (f, problem, batch, executor, masks)
    }

    /// theta_0 ~ D.
    func drawn(_ key: RandomKey) throws -> [HostArray] {
      try executor.values(of: Network(problem.extents, key: key).theta.map(\.initial))
    }

    /// Trains f(x; m * theta) for j iterations; `each` is told every loss.
    func train(
      _ theta: [HostArray], _ m: PruningMask, key: RandomKey, each: (Double) -> Void
    ) throws -> Run {
      for (parameter, values) in zip(f.theta, m.applied(to: theta)) {
        try executor.assign(values, to: parameter)
      }
      for (parameter, mask) in zip(masks, m.layers) { try executor.assign(mask, to: parameter) }
      _ = try reset.run()
      var run = Run(start: try f.theta.map(executor.values(of:)), theta: [])
      var lowest = Double.infinity
      let order = BatchOrder(count: problem.train.count, batchSize: batch, key: key)
      for iteration in 1...problem.iterations {
        let rows = HostArray(order.indices(step: iteration - 1).map(Int32.init))
        let loss = try step.run([rows])[0].doubles()[0]
        guard loss.isFinite else {
          throw ExperimentError.stopped(
            owner: LotteryTicket.name, reason: "the loss is \(loss) at iteration \(iteration)")
        }
        each(loss)
        guard iteration % problem.interval == 0 || iteration == problem.iterations else { continue }
        let validationLoss = try validation.run()[0].doubles()[0]
        guard validationLoss < lowest else { continue }
        lowest = validationLoss
        (run.iteration, run.accuracy) = (iteration, try test.run()[1].doubles()[0])
      }
      run.theta = try f.theta.map(executor.values(of:))
      return run
    }
  }
}

// MARK: - Evaluation

extension LotteryTicket {
  /// The dense network, and the four ways to choose and start a sparse one.
  enum Kind: String, CaseIterable {
    case dense, ticket, reinit, random
    case oneShot = "one-shot"

    static let sparse = allCases.dropFirst()
  }

  /// What became of one trained network: the iteration of minimum validation loss, the test accuracy there.
  struct Outcome {
    let kind: Kind
    let repetition, round: Int
    /// The fraction of weights left.
    let left: Double
    let iteration, accuracy: Double

    var line: [JSONValue.Member] {
      [
        .init("repetition", JSONValue(repetition)), .init("round", JSONValue(round)),
        .init("network", .text(kind.rawValue)), .init("left", JSONValue(left)),
        .init("iteration", JSONValue(Int(iteration))), .init("accuracy", JSONValue(accuracy)),
      ]
    }
  }

  /// Everything that was trained, and what the claims read of it.
  struct Study {
    let name: String
    var losses: [Double] = []
    var outcomes: [Outcome] = []
    var prunedNotZero = 0
    var countsOff = 0
    var resetsOff = 0

    /// Counts survivors that did not start at theta_0, bit for bit, and pruned weights that are not 0.
    mutating func check(_ run: Trainer.Run, _ m: PruningMask, startingFrom theta0: [HostArray]) {
      func bits(_ array: HostArray) -> [UInt32] { array.elements(as: Float.self).map(\.bitPattern) }
      for (layer, mask) in m.layers.enumerated() {
        let (first, start, end) = (bits(theta0[layer]), bits(run.start[layer]), bits(run.theta[layer]))
        for (index, kept) in mask.elements(as: Float.self).enumerated() {
          if start[index] != (kept == 0 ? 0 : first[index]) { resetsOff += 1 }
          if kept == 0, end[index] != 0 { prunedNotZero += 1 }
        }
      }
    }

    /// The outcomes of one kind of network after a round, repetition by repetition.
    private func values(_ value: KeyPath<Outcome, Double>, _ kind: Kind, _ round: Int) -> [Double] {
      outcomes.filter { $0.kind == kind && $0.round == round }.map { $0[keyPath: value] }
    }

    private func mean(_ value: KeyPath<Outcome, Double>, _ kind: Kind, _ round: Int) -> Double {
      let values = values(value, kind, round)
      return values.reduce(0, +) / Double(values.count)
    }

    /// The rounds with the fraction of weights that each leaves.
    private var rounds: [(round: Int, left: Double)] {
      outcomes.filter { $0.kind == .ticket && $0.repetition == 0 }.map { ($0.round, $0.left) }
    }

    var metrics: Metrics {
      var metrics: Metrics = [
        "exact.prunedNotZero": Double(prunedNotZero), "exact.countsOff": Double(countsOff),
        "exact.resetsOff": Double(resetsOff),
      ]
      func note(_ kind: Kind, _ round: Int, _ named: (String) -> String) {
        metrics[named("accuracy")] = mean(\.accuracy, kind, round)
        metrics[named("iteration")] = mean(\.iteration, kind, round)
      }
      let rounds = rounds, dense = mean(\.accuracy, .dense, 0)
      let fifth = rounds.min { abs($0.left - 0.211) < abs($1.left - 0.211) }.flatMap {
        $0.left < 0.3 ? $0 : nil
      }
      for prefix in ["", "\(name)."] {
        note(.dense, 0) { "\(prefix)\($0).dense" }
        for kind in Kind.sparse {
          if let fifth { note(kind, fifth.round) { "\(prefix)\($0).\(kind.rawValue).fifth" } }
          if let last = rounds.last { note(kind, last.round) { "\(prefix)\($0).\(kind.rawValue).last" } }
        }
      }
      for (round, left) in rounds {
        let percent = String(format: "%04.1f%%", 100 * left)
        for kind in Kind.sparse { note(kind, round) { "at \(percent) \($0).\(kind.rawValue)" } }
      }
      if let far = rounds.last(where: { mean(\.accuracy, .reinit, $0.round) <= dense - 0.03 }) {
        metrics["left.far"] = far.left
        for kind in [Kind.ticket, .reinit] {
          metrics["accuracy.\(kind.rawValue).far"] = mean(\.accuracy, kind, far.round)
        }
      }
      let low = rounds.filter { $0.left <= 0.11 }
      guard !low.isEmpty else { return metrics }
      for kind in Kind.sparse {
        let sum = low.reduce(0) { $0 + mean(\.accuracy, kind, $1.round) }
        metrics["accuracy.\(kind.rawValue).low"] = sum / Double(low.count)
      }
      metrics["noise.low"] = noise(low.map(\.round))
      metrics["gain.best"] = low.filter { (0.02...0.1).contains($0.left) }
        .map { mean(\.accuracy, .ticket, $0.round) - mean(\.accuracy, .reinit, $0.round) }.max()
      return metrics
    }

    /// Two standard errors, over repetitions, of the difference between fresh weights and random masks.
    private func noise(_ rounds: [Int]) -> Double? {
      let differences = rounds.map { round in
        zip(values(\.accuracy, .reinit, round), values(\.accuracy, .random, round)).map { $0 - $1 }
      }
      let count = differences[0].count
      guard count > 1 else { return nil }
      let means = (0..<count).map { repetition in
        differences.reduce(0) { $0 + $1[repetition] } / Double(rounds.count)
      }
      let mean = means.reduce(0, +) / Double(count)
      let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
      return 2 * (variance / Double(count)).squareRoot()
    }

    /// Figure 4: accuracy at early stopping, and when that is, against the weights left.
    func draw(into output: RunFolder) throws {
      guard !rounds.isEmpty else { return }
      let names: [(Kind, String)] = [
        (.ticket, "winning ticket"), (.reinit, "random reinitialization"), (.random, "random sparsity"),
        (.oneShot, "one-shot pruning"),
      ]
      func chart(_ title: String, _ axis: String, _ value: KeyPath<Outcome, Double>) -> LineChart {
        LineChart(
          title, x: .init("weights left in %", scale: .logarithmic, isReversed: true), y: .init(axis),
          series: names.map { kind, name in
            .init(
              name,
              [.init(x: 100, meanOf: values(value, .dense, 0))]
                + rounds.map { .init(x: 100 * $0.left, meanOf: values(value, kind, $0.round)) })
          })
      }
      try output.write(chart("Test accuracy at early stopping", "accuracy", \.accuracy), named: "accuracy")
      try output.write(
        chart("Iteration of minimum validation loss", "iteration", \.iteration), named: "iteration")
    }
  }
}
