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
    "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks", by: "Frankle and Carbin", year: 2019,
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
    Claim("the dense network learns the digits", source: "reduced setting A") { $0["digits.accuracy.dense"] >= 0.96 },
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
    Claim("and fresh weights under that mask are no worse than a random mask, within noise", source: "figure 4a") {
      $0["accuracy.reinit.low"] >= $0["accuracy.random.low"] - $0["noise.low"]
    },
    Claim("the ticket with 21% left learns faster than the dense network and ends no worse", source: "figure 3, 4a") {
      $0["mnist.iteration.ticket.fifth"] < $0["mnist.iteration.dense"]
        && $0["mnist.accuracy.ticket.fifth"] >= $0["mnist.accuracy.dense"]
    },
    Claim("the ticket with under 5% left keeps the accuracy; its mask on fresh weights learns slower", source: "figure 4") {
      $0["mnist.accuracy.ticket.last"] >= $0["mnist.accuracy.dense"] - 0.005
        && $0["mnist.iteration.reinit.last"] > $0["mnist.iteration.dense"]
    },
    Claim("pruned weights are exactly 0, counts follow the schedule, survivors restart at theta_0", source: "section 2") {
      $0["exact.prunedNotZero"] == 0 && $0["exact.countsOff"] == 0 && $0["exact.resetsOff"] == 0
    },
  ]

  func run(_ context: RunContext) throws -> RunRecord {
    let task = try task(context)
    var study = Study(task: task, executor: try PlanExecutor(context.device))
    let trainer = try Trainer(task, on: study.executor)
    let runCount = task.repetitions * (1 + 4 * task.rounds)
    let progress = context.progress("lottery-ticket on \(task.name)", total: runCount * task.iterations)
    for repetition in 0..<task.repetitions {
      let key = context.key.folded(in: UInt64(repetition))
      try study.repeatOnce(trainer, key: key, p: p, seed: repetition, progress: progress, output: context.output)
    }
    progress.finish()
    if let output = context.output { try study.draw(into: output) }
    return try context.record(of: self, losses: study.losses, metrics: study.metrics)
  }
}

// MARK: - Data

extension LotteryTicket {
  /// A data set with the network and the schedule that go with it.
  struct Task {
    let name: String
    /// uint8 images [count, pixels], int32 labels [count]; pixels reach `white`.
    let train, validation, test: LabeledImages
    let white: Double
    /// Extents of the layers, from pixels to classes.
    let layers: [Int]
    let iterations, rounds, repetitions, interval, batch: Int
    let learningRate: Double
  }

  private func task(_ context: RunContext) throws -> Task {
    guard p > 0, p < 1 else { throw rejected("p", "\(p)", "the fraction pruned in a round lies between 0 and 1") }
    guard batch > 0 else { throw rejected("batch", "\(batch)", "a batch has at least one image") }
    guard learningRate > 0 else { throw rejected("learningRate", "\(learningRate)", "a step size is positive") }
    for (name, value) in [("iterations", iterations), ("repetitions", repetitions), ("interval", interval)]
    where value < 0 { throw rejected(name, "\(value)", "it is positive, or 0 for what the data asks") }
    let isDigits = data == "digits" || (data == "auto" && context.dataFolder == nil)
    let parts: [LabeledImages]
    if isDigits {
      // 1,297 / 200 / 300; the same split for every seed.
      parts = try Digits.labeledImages.split(counts: [1297, 200, 300], key: RandomKey(seed: 64))
    } else {
      guard let variant: MNIST.Variant = ["auto": .digits, "mnist": .digits, "fashion": .fashion][data] else {
        throw rejected("data", data, "it is auto, digits, mnist or fashion")
      }
      let folder = try context.requiredDataFolder(for: Self.name, contents: "the files of \(variant.title)").path
      let all = try MNIST.load(.train, from: folder, variant: variant)
      let held = min(5000, all.count / 10)
      parts = try all.split(counts: [all.count - held, held], key: RandomKey(seed: 28))
        + [MNIST.load(.test, from: folder, variant: variant)]
    }
    guard batch <= parts[0].count else {
      throw rejected("batch", "\(batch)", "there are \(parts[0].count) images to train on")
    }
    func chosen(_ setting: Int, _ digits: Int, _ mnist: Int) -> Int { setting != 0 ? setting : isDigits ? digits : mnist }
    let steps = context.limits.stepCount(chosen(iterations, 600, 4000), stepsPerEpoch: parts[0].count / batch)
    return Task(
      name: isDigits ? "digits" : data == "fashion" ? "fashion" : "mnist",
      train: parts[0], validation: parts[1], test: parts[2], white: isDigits ? 16 : 255,
      layers: [parts[0].imageShape.count] + (isDigits ? [128, 64] : [300, 100]) + [parts[0].classCount],
      iterations: steps, rounds: max(0, chosen(rounds, 12, 15)), repetitions: chosen(repetitions, 5, 3),
      interval: min(chosen(interval, 10, 100), steps), batch: batch, learningRate: learningRate)
  }

  private func rejected(_ name: String, _ given: String, _ reason: String) -> ExperimentError {
    .settingRejected(name, owner: Self.name, given: given, reason: reason)
  }
}

// MARK: - Model

extension LotteryTicket {
  /// f(x; theta): fully connected layers with rectified units between them. Glorot normal weights, biases 0.
  struct Network: Module {
    let layers: [Linear]

    init(_ extents: [Int], key: RandomKey) {
      layers = zip(extents, extents.dropFirst()).enumerated().map { number, pair in
        Linear(inputs: pair.0, outputs: pair.1, initializer: .glorotNormal, key: key.folded(in: UInt64(number)))
      }
    }

    /// Logits [count, classes] of images [count, pixels].
    func callAsFunction(_ x: Tensor) -> Tensor {
      layers.dropLast().reduce(x) { x, layer in layer(x).relu() }.applied(layers[layers.count - 1])
    }

    /// The weights, which are pruned, before the biases, which are not.
    var theta: [Parameter] { layers.map(\.weight) + layers.compactMap(\.bias) }
  }

  /// m: 1 where a weight remains, 0 where it is pruned, one array per layer.
  typealias Mask = [HostArray]

  /// Method, step 3: in each layer without the fraction p of the remaining weights whose |theta_j| is smallest.
  static func pruning(_ m: Mask, by theta: [HostArray], p: Double) throws -> Mask {
    let remaining = m.map { $0.elements(as: Float.self).filter { $0 != 0 }.count }
    return try keeping(try scheduled(remaining, p: p), of: m, by: theta)
  }

  /// How many weights a round leaves in each layer: the output layer is pruned at half the rate.
  static func scheduled(_ remaining: [Int], p: Double) throws -> [Int] {
    try remaining.enumerated().map { layer, count in
      let rate = layer == remaining.count - 1 ? p / 2 : p
      let left = count - Int((Double(count) * rate).rounded())
      guard left > 0 else {
        throw ExperimentError.stopped(owner: name, reason: "pruning \(rate) of \(count) weights would empty layer \(layer)")
      }
      return left
    }
  }

  /// The `counts` largest |theta| in each layer among the weights that m leaves; of equals the first.
  static func keeping(_ counts: [Int], of m: Mask, by theta: [HostArray]) throws -> Mask {
    zip(counts, zip(m, theta)).map { count, layer in
      let (mask, weights) = (layer.0.elements(as: Float.self), layer.1.elements(as: Float.self))
      let order = weights.indices.filter { mask[$0] != 0 }.sorted { (-abs(weights[$0]), $0) < (-abs(weights[$1]), $1) }
      var kept = [Float](repeating: 0, count: weights.count)
      for index in order.prefix(count) { kept[index] = 1 }
      return HostArray(kept, shape: layer.0.shape)
    }
  }

  /// Random sparsity: `counts` weights of each layer, whichever.
  static func random(_ counts: [Int], like m: Mask, key: RandomKey) -> Mask {
    zip(counts, m).enumerated().map { layer, pair in
      var kept = [Float](repeating: 0, count: pair.1.count)
      for index in key.folded(in: UInt64(layer)).permutation(of: kept.count).prefix(pair.0) { kept[index] = 1 }
      return HostArray(kept, shape: pair.1.shape)
    }
  }
}

extension Tensor {
  fileprivate func applied(_ layer: Linear) -> Tensor { layer(self) }
}

// MARK: - Objective

extension LotteryTicket {
  /// Trains masked networks: compiled once, then given other weights and masks.
  struct Trainer {
    let network: Network
    let initial: @Sendable (RandomKey) throws -> [HostArray]
    fileprivate let executor: PlanExecutor
    fileprivate let optimizer: Adam
    fileprivate let masks: [Parameter]
    fileprivate let step, validate, test: CompiledStep
    fileprivate let task: Task

    init(_ task: Task, on executor: PlanExecutor) throws {
      let network = Network(task.layers, key: RandomKey(seed: 0))
      let weights = network.layers.map(\.weight)
      let masks = weights.map { Parameter(.ones($0.shape)) }
      let optimizer = Adam(for: network.theta, learningRate: task.learningRate)
      (self.task, self.executor, self.network, self.masks, self.optimizer) = (task, executor, network, masks, optimizer)
      initial = { key in try executor.values(of: Network(task.layers, key: key).theta.map(\.initial)) }
      // The images stay on the device; a step is given the rows of its batch.
      step = try executor.compile(inputs: [Signature([task.batch], .int32)]) { rows in
        let loss = Self.loss(network, task.train, white: task.white, rows: rows[0]).loss
        let gradients = gradients(of: loss, withRespectTo: network.theta.map(\.tensor))
        let m = Dictionary(uniqueKeysWithValues: zip(weights, masks.map(\.tensor)))
        return StepDescription(
          outputs: [loss], assignments: optimizer.assignments(for: network.theta, gradients: gradients, masks: m))
      }
      func evaluation(_ images: LabeledImages) throws -> CompiledStep {
        try executor.compile { _ in
          let (loss, accuracy) = Self.loss(network, images, white: task.white, rows: nil)
          return StepDescription(outputs: [loss, accuracy])
        }
      }
      (validate, test) = (try evaluation(task.validation), try evaluation(task.test))
    }

    /// Cross-entropy and accuracy on the images that `rows` names, on all when nil.
    static func loss(
      _ network: Network, _ images: LabeledImages, white: Double, rows: Tensor?
    ) -> (loss: Tensor, accuracy: Tensor) {
      let pixels = Tensor(images.images.reshaped(to: [images.count, images.imageShape.count]))
      let labels = Tensor(images.labels)
      let x = (rows.map { pixels.gathered(at: $0) } ?? pixels).converted(to: .float32) * (1 / white)
      let y = rows.map { labels.gathered(at: $0) } ?? labels
      let logits = network(x)
      return (crossEntropy(logits: logits, labels: y), accuracy(logits: logits, labels: y))
    }
  }
}

// MARK: - Training

extension LotteryTicket {
  /// One training run.
  struct Curve {
    var losses: [Double] = []
    /// The iteration of minimum validation loss, and the test accuracy there.
    var iteration = 0
    var accuracy = 0.0
    var lowest = Double.infinity
    /// theta_j.
    var theta: [HostArray] = []
  }
}

extension LotteryTicket.Trainer {
  /// Trains f(x; m * theta_0) for j iterations on batches ordered by `key`; Adam starts anew.
  func train(
    _ theta: [HostArray], mask m: LotteryTicket.Mask, key: RandomKey, each: (Double) throws -> Void
  ) throws -> LotteryTicket.Curve {
    for (parameter, value) in zip(network.theta, LotteryTicket.masked(theta, m)) { try executor.assign(value, to: parameter) }
    for (parameter, value) in zip(masks, m) { try executor.assign(value, to: parameter) }
    try executor.reset(optimizer.stateParameters)
    let order = BatchOrder(count: task.train.count, batchSize: task.batch, key: key)
    var curve = LotteryTicket.Curve()
    for iteration in 1...task.iterations {
      let rows = HostArray(order.indices(step: iteration - 1).map(Int32.init))
      let loss = try step.run([rows])[0].doubles()[0]
      guard loss.isFinite else {
        throw ExperimentError.stopped(owner: LotteryTicket.name, reason: "the loss is \(loss) at iteration \(iteration)")
      }
      curve.losses.append(loss)
      try each(loss)
      guard iteration % task.interval == 0 || iteration == task.iterations else { continue }
      let validation = try validate.run()[0].doubles()[0]
      if validation < curve.lowest {
        (curve.lowest, curve.iteration) = (validation, iteration)
        curve.accuracy = try test.run()[1].doubles()[0]
      }
    }
    curve.theta = try network.theta.map { try executor.values(of: $0) }
    return curve
  }
}

extension LotteryTicket {
  /// m * theta; biases, which have no mask, as they are.
  static func masked(_ theta: [HostArray], _ m: Mask) -> [HostArray] {
    zip(theta, m).map { weights, mask in
      let pairs = zip(weights.elements(as: Float.self), mask.elements(as: Float.self))
      return HostArray(pairs.map { $1 == 0 ? 0 : $0 }, shape: weights.shape)
    } + theta.dropFirst(m.count)
  }

  /// The four ways to choose and start a sparse network.
  enum Variant: String, CaseIterable { case ticket, reinit, random, oneShot }

  /// Everything that was trained.
  struct Study {
    let task: Task
    let executor: PlanExecutor
    var losses: [Double] = []
    var dense: [Curve] = []
    /// The fraction of weights left after each round.
    var left: [Double] = []
    /// For each variant and round, the curve of each repetition.
    var sparse: [Variant: [[Curve]]] = [:]
    var prunedNotZero = 0
    var countsOff = 0
    var resetsOff = 0

    /// The dense network, then round after round the ticket and what it is compared with.
    mutating func repeatOnce(
      _ trainer: Trainer, key: RandomKey, p: Double, seed: Int, progress: ProgressBar, output: RunFolder?
    ) throws {
      let theta0 = try trainer.initial(key.folded(in: "theta_0"))
      let fresh = try trainer.initial(key.folded(in: "theta_0'"))
      let ones: Mask = trainer.network.layers.map { HostArray([Float](repeating: 1, count: $0.weight.shape.count), shape: $0.weight.shape) }
      let total = ones.reduce(0) { $0 + $1.count }
      func train(_ theta: [HostArray], _ m: Mask, _ round: Int, _ name: String) throws -> Curve {
        // The same order of batches for all of a repetition.
        let curve = try trainer.train(theta, mask: m, key: key.folded(in: "batches")) { loss in
          losses.append(loss)
          progress.advance(to: losses.count, loss: loss)
        }
        check(curve, m)
        try output?.append([
          .init("repetition", JSONValue(seed)), .init("round", JSONValue(round)), .init("network", .text(name)),
          .init("left", JSONValue(Double(count(m).reduce(0, +)) / Double(total))),
          .init("iteration", JSONValue(curve.iteration)), .init("accuracy", JSONValue(curve.accuracy)),
        ])
        return curve
      }
      let dense = try train(theta0, ones, 0, "dense")
      self.dense.append(dense)
      var (m, ticket, counts) = (ones, dense, count(ones))
      for round in 0..<task.rounds {
        m = try LotteryTicket.pruning(m, by: ticket.theta, p: p)
        counts = try LotteryTicket.scheduled(counts, p: p)
        if count(m) != counts { countsOff += 1 }
        if self.dense.count == 1 { left.append(Double(counts.reduce(0, +)) / Double(total)) }
        checkReset(theta0, m)
        ticket = try train(theta0, m, round + 1, "ticket")
        let random = LotteryTicket.random(counts, like: m, key: key.folded(in: "random \(round)"))
        let oneShot = try LotteryTicket.keeping(counts, of: ones, by: dense.theta)
        let curves: [Variant: Curve] = [
          .ticket: ticket, .reinit: try train(fresh, m, round + 1, "reinit"),
          .random: try train(theta0, random, round + 1, "random"),
          .oneShot: try train(theta0, oneShot, round + 1, "one-shot"),
        ]
        for (variant, curve) in curves {
          if sparse[variant, default: []].count <= round { sparse[variant, default: []].append([]) }
          sparse[variant]?[round].append(curve)
        }
      }
    }
  }
}

// MARK: - Evaluation

extension LotteryTicket.Study {
  private func count(_ m: LotteryTicket.Mask) -> [Int] { m.map { $0.elements(as: Float.self).filter { $0 != 0 }.count } }

  /// Counts pruned weights that are not exactly 0 after training.
  private mutating func check(_ curve: LotteryTicket.Curve, _ m: LotteryTicket.Mask) {
    for (mask, weights) in zip(m, curve.theta) {
      let pairs = zip(mask.elements(as: Float.self), weights.elements(as: Float.self))
      prunedNotZero += pairs.filter { $0 == 0 && $1 != 0 }.count
    }
  }

  /// Counts survivors that do not restart at theta_0, bit for bit.
  private mutating func checkReset(_ theta0: [HostArray], _ m: LotteryTicket.Mask) {
    for (mask, (reset, first)) in zip(m, zip(LotteryTicket.masked(theta0, m), theta0)) {
      let (reset, first) = (reset.elements(as: Float.self), first.elements(as: Float.self))
      for (index, kept) in mask.elements(as: Float.self).enumerated()
      where reset[index].bitPattern != (kept == 0 ? 0 : first[index].bitPattern) { resetsOff += 1 }
    }
  }

  /// The mean over repetitions of what `value` takes from a curve.
  private func mean(_ curves: [LotteryTicket.Curve], _ value: (LotteryTicket.Curve) -> Double = \.accuracy) -> Double {
    curves.reduce(0) { $0 + value($1) } / Double(curves.count)
  }

  private func accuracy(_ variant: LotteryTicket.Variant, _ round: Int) -> Double { mean(sparse[variant]?[round] ?? []) }

  /// The numbers that the claims read.
  var metrics: Metrics {
    var metrics = Metrics()
    let iteration: (LotteryTicket.Curve) -> Double = { Double($0.iteration) }
    metrics["accuracy.dense"] = mean(dense)
    metrics["iteration.dense"] = mean(dense, iteration)
    metrics["\(task.name).accuracy.dense"] = mean(dense)
    metrics["exact.prunedNotZero"] = Double(prunedNotZero)
    metrics["exact.countsOff"] = Double(countsOff)
    metrics["exact.resetsOff"] = Double(resetsOff)
    for (round, left) in left.enumerated() {
      let percent = String(format: "%04.1f%%", 100 * left)
      for variant in LotteryTicket.Variant.allCases {
        metrics["at \(percent) accuracy.\(variant.rawValue)"] = accuracy(variant, round)
        metrics["at \(percent) iteration.\(variant.rawValue)"] = mean(sparse[variant]?[round] ?? [], iteration)
      }
    }
    // About a fifth left, and the last round.
    let fifth = left.indices.min { abs(left[$0] - 0.211) < abs(left[$1] - 0.211) }
    for (name, round) in [("fifth", fifth.flatMap { left[$0] < 0.3 ? $0 : nil }), ("last", left.indices.last)] {
      guard let round else { continue }
      for variant in LotteryTicket.Variant.allCases {
        for prefix in ["", "\(task.name)."] {
          metrics["\(prefix)accuracy.\(variant.rawValue).\(name)"] = accuracy(variant, round)
          metrics["\(prefix)iteration.\(variant.rawValue).\(name)"] = mean(sparse[variant]?[round] ?? [], iteration)
        }
      }
    }
    if let far = left.indices.last(where: { accuracy(.reinit, $0) <= mean(dense) - 0.03 }) {
      metrics["left.far"] = left[far]
      metrics["accuracy.ticket.far"] = accuracy(.ticket, far)
      metrics["accuracy.reinit.far"] = accuracy(.reinit, far)
    }
    // At about a tenth of the weights and below.
    let low = left.indices.filter { left[$0] <= 0.11 }
    guard !low.isEmpty else { return metrics }
    for variant in LotteryTicket.Variant.allCases {
      metrics["accuracy.\(variant.rawValue).low"] = low.reduce(0) { $0 + accuracy(variant, $1) } / Double(low.count)
    }
    metrics["noise.low"] = standardError(low)
    let thin = low.filter { (0.02...0.1).contains(left[$0]) }
    metrics["gain.best"] = thin.map { accuracy(.ticket, $0) - accuracy(.reinit, $0) }.max()
    return metrics
  }

  /// Two standard errors, over repetitions, of the difference between fresh weights and random masks.
  private func standardError(_ rounds: [Int]) -> Double? {
    let differences = dense.indices.map { repetition in
      rounds.reduce(0.0) { sum, round in
        sum + (sparse[.reinit]?[round][repetition].accuracy ?? 0) - (sparse[.random]?[round][repetition].accuracy ?? 0)
      } / Double(rounds.count)
    }
    guard differences.count > 1 else { return nil }
    let mean = differences.reduce(0, +) / Double(differences.count)
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(differences.count - 1)
    return 2 * (variance / Double(differences.count)).squareRoot()
  }

  /// Figure 4: accuracy at early stopping, and when that is, against the weights left.
  func draw(into output: RunFolder) throws {
    guard !left.isEmpty else { return }
    let names: [(LotteryTicket.Variant, String)] = [
      (.ticket, "winning ticket"), (.reinit, "random reinitialization"), (.random, "random sparsity"),
      (.oneShot, "one-shot pruning"),
    ]
    func chart(_ title: String, _ axis: String, _ value: (LotteryTicket.Curve) -> Double) -> LineChart {
      LineChart(
        title, x: .init("weights left in %", scale: .logarithmic, isReversed: true), y: .init(axis),
        series: names.map { variant, name in
          .init(
            name,
            [.init(x: 100, meanOf: dense.map(value))]
              + left.enumerated().map { .init(x: 100 * $1, meanOf: (sparse[variant]?[$0] ?? []).map(value)) })
        })
    }
    try output.write(chart("Test accuracy at early stopping", "accuracy", \.accuracy), named: "accuracy")
    try output.write(
      chart("Iteration of minimum validation loss", "iteration") { Double($0.iteration) }, named: "iteration")
  }
}
