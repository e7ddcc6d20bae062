import Hekla
import HeklaExperiments

/// Learns convex hulls, shortest tours and Delaunay triangulations from examples: attention itself is the answer.
///
/// An LSTM reads the n points of P, states e_j, [n, B, h]; a second one starts where it ends and reads the point chosen
/// before, x_{C_{i-1}}, states d_i, [m, B, h]. Equation 3: u^i_j = v^T tanh(W1 e_j + W2 d_i), j = 0..n, and
/// p(C_i | C_1..C_{i-1}, P) = softmax(u^i), [m, B, n+1]; e_0 is learned and means the end. So the vocabulary grows with
/// n. The baselines have a fixed one, of d_i (section 2.1) or d_i beside sum_j softmax(u^i)_j e_j (section 2.2).
///
/// Departures: at most 12 points in training instead of 50, fresh ones in each of 6,000 steps; one training of each
/// network unless `seeds` is more; h 128 instead of 512, batches of 64 instead of 128; Adam at a falling rate instead of
/// plain descent. The networks see coordinates with mean 0 and variance 1, and input weights are drawn from -1 to 1, W1,
/// W2 and v wider than 0.08. The baseline's attention is not fed to the next step, so all steps are computed at once.
/// Hulls, like tours, are decoded without a point twice; one that crosses itself covers 0 instead of being left out.
/// Pointers for 10 points alone, as the paper compares them with baselines, are beside those for 5 to 12.
struct PointerNet: Experiment {
  static let paper = Paper(
    "Pointer Networks", by: "Vinyals, Fortunato and Jaitly", year: 2015, id: "arXiv:1506.03134")

  var networks = ["hull", "hull10", "lstm", "attention", "tour", "delaunay"]
  var seeds = 1
  var steps = 6000
  var batch = 64
  var h = 128
  var learningRate = 8e-3
  var warmup = 200
  var beam = 5
  var tests = 500

  static let settingNotes = [
    "networks":
      "hull, hull10, tour and delaunay point; lstm and attention are baselines for hulls of 10 points, as hull10 is",
    "seeds": "repetitions", "steps": "of each training run", "batch": "fresh examples in a step",
    "h": "the extent of states and attention", "learningRate": "Adam's step size at most, in the end 0",
    "warmup": "the steps in which it grows", "beam": "how many sequences decoding keeps",
    "tests": "examples of each size that judge a network",
  ]

  static let claims = [
    Claim("at least 0.8 of hulls of 5 points are exact", source: "table 1: 0.726 at n = 50") {
      $0["hull.exact.5"] >= 0.8
    },
    Claim("and at least 0.6 of those of 10", source: "table 1: 0.726 at n = 50") {
      $0["hull.exact.10"] >= 0.6
    },
    Claim(
      "hulls of 10 points cover at least 0.99 of the true area in the mean, those that cross themselves none of it",
      source: "table 1: 0.999 at n = 50"
    ) { $0["hull.area.10"] >= 0.99 },
    Claim(
      "hulls of 20 points, more than trained on, cover at least 0.96",
      source: "table 1: 0.992 at n = 500, trained on 5 to 50"
    ) { $0["hull.area.20"] >= 0.96 },
    Claim(
      "trained on 10 points alone, pointers have at least 0.3 more exact than an LSTM with a fixed vocabulary",
      source: "table 1: 0.726 and 0.019 at n = 50"
    ) { $0["hull10.exact.10"] >= $0["lstm.exact.10"] + 0.3 },
    Claim("and at least 0.1 more than one with attention", source: "table 1: 0.726 and 0.389 at n = 50") {
      $0["hull10.exact.10"] >= $0["attention.exact.10"] + 0.1
    },
    Claim(
      "so have pointers trained on 5 to 12 points", source: "table 1: 0.726 and 0.389 at n = 50"
    ) {
      $0["hull.exact.10"] >= $0["lstm.exact.10"] + 0.3
        && $0["hull.exact.10"] >= $0["attention.exact.10"] + 0.1
    },
    Claim(
      "tours of 8 points, as trained, are valid and in the mean at most 1.05 times as long as the shortest",
      source: "table 2: 2.88 and 2.87 at n = 10"
    ) { $0["tour.length.8"] <= 1.05 * $0["tour.shortest.8"] && $0["tour.valid.8"] >= 1 },
    Claim("and no longer than the nearest neighbour's", source: "reduced setting") {
      $0["tour.length.8"] <= $0["tour.nearest.8"]
    },
    Claim(
      "tours of 10 points, more than trained on, are no longer than the nearest neighbour's",
      source: "reduced setting",
      failure:
        "3.53 beside 3.17, the shortest have 2.86: trained on 8 points alone, the network does not go on to 10"
    ) { $0["tour.length.10"] <= $0["tour.nearest.10"] },
    Claim(
      "of triangulations of 5 points at least 0.45 are exact, and at least 0.75 of triangles found",
      source: "section 4.3: 0.807 and 0.93"
    ) { $0["delaunay.exact.5"] >= 0.45 && $0["delaunay.coverage.5"] >= 0.75 },
    Claim("to 1e-5, probabilities sum to 1 and padding changes none; it has exactly 0", source: "equation 3")
    {
      $0["exact.sum"] <= 1e-5 && $0["exact.padding"] == 0 && $0["exact.mixed"] <= 1e-5
    },
  ]
}

extension PointerNet {
  // MARK: - Data

  enum Kind: String, CaseIterable {
    case hull, hull10, lstm, attention, tour, delaunay

    var problem: PlanarProblem {
      self == .tour ? .shortestTour : self == .delaunay ? .delaunayTriangulation : .convexHull
    }
    /// How many points there are in training, and in tests.
    var sizes: (trained: ClosedRange<Int>, tested: [Int]) {
      switch self {
      case .hull: (5...12, [5, 10, 12, 20])
      case .hull10, .lstm, .attention: (10...10, [10])
      case .tour: (8...8, [8, 10, 12])
      case .delaunay: (5...5, [5])
      }
    }
  }

  // MARK: - Model

  struct Network: Module {
    let encoder, decoder: Recurrent<LSTMCell>
    /// What the decoder reads first, [2], and e_0, [h].
    let start, e0: Parameter
    let attention: AdditiveAttention?
    /// A baseline's map to 0..n.
    let vocabulary: Linear?

    init(_ kind: Kind, _ h: Int, key: RandomKey) {
      // While e and d are small, tanh is linear and the softmax over j does not see d: training stands still.
      func cell(_ name: String) -> LSTMCell {
        LSTMCell(inputs: 2, width: h, initializer: .uniform(from: -1, to: 1), key: key.folded(in: name))
      }
      (encoder, decoder) = (Recurrent(cell("encoder")), Recurrent(cell("decoder")))
      (start, e0) = (Parameter(.zeros([2])), Parameter(.zeros([h])))
      let own = AdditiveAttention(width: h, initializer: .glorotUniform, key: key.folded(in: "attention"))
      attention = kind == .lstm ? nil : own
      let inputs = kind == .lstm ? h : kind == .attention ? 2 * h : nil,
        words = kind.sizes.trained.upperBound + 1
      vocabulary = inputs.map { Linear(inputs: $0, outputs: words, key: key.folded(in: "vocabulary")) }
    }

    /// What attention looks at, e with e_0 and W1 of it, each [B, n+1, h]; and the decoder's first states.
    func encoded(_ x: Tensor, _ lengths: Tensor) -> (memory: [Tensor], state: [Tensor]) {
      let (e, state) = encoder(Self.standardized(x), lengths: lengths)
      guard let attention else { return ([], state) }
      let all = Tensor.concatenating([e0.tensor.broadcast(to: [1, e.shape[1], e.shape[2]]), e], along: 0)
      return ([all, attention.keys(of: all)].map { $0.permuted([1, 0, 2]) }, state)
    }

    /// Logits of C, [m, B, n+1], at d, [m, B, h].
    func logits(_ d: Tensor, _ memory: [Tensor], _ lengths: Tensor) -> Tensor {
      let u = attention?(keys: memory[1], queries: d, counts: lengths + Tensor([1 as Int32]))
      guard let vocabulary else { return u ?? d }
      // d'_i = sum_j a^i_j e_j
      let context = u.map { $0.softmax().permuted([1, 0, 2]).matrixProduct(memory[0]).permuted([1, 0, 2]) }
      return vocabulary(.concatenating([context, d].compactMap(\.self), along: 2))
    }

    /// Coordinates with mean 0 and variance 1 of points evenly distributed over the unit square.
    static func standardized(_ x: Tensor) -> Tensor { (x - 0.5) * 12.0.squareRoot() }

    /// What the decoder reads after positions c, [m, B]: the points there, and at 0 or padding the start, [m, B, 2].
    func inputs(after c: Tensor, of x: Tensor) -> Tensor {
      let one = Tensor([1 as Int32]), places = (Tensor.maximum(c, one) - one).transposed()
      let points = Self.standardized(x).permuted([1, 0, 2]).gathered(at: places, batchAxes: 1)
      return .select((c .>= one).expanded(at: 2), points.permuted([1, 0, 2]), start.tensor)
    }

    /// Logits of all of C, where the decoder reads the true points: x, [n, B, 2]; lengths, [B]; C, [m, B].
    func callAsFunction(_ x: Tensor, _ lengths: Tensor, _ c: Tensor) -> Tensor {
      let (memory, state) = encoded(x, lengths)
      let before = c.padded(before: [1, 0], after: [0, 0]).sliced(0..<c.shape[0], along: 0)
      return logits(decoder(inputs(after: before, of: x), state: state).outputs, memory, lengths)
    }
  }

  // MARK: - Objective

  /// -log p(C | P), equation 2, as a mean over all C_i of the batch.
  static func objective(_ f: Network, _ x: [Tensor]) -> Tensor {
    crossEntropy(logits: f(x[0], x[1], x[2]), labels: x[2], ignoring: -1)
  }

  // MARK: - Training

  func run(_ context: RunContext) throws -> RunRecord {
    try Self.requirePositive(["seeds": seeds, "steps": steps, "batch": batch, "h": h, "warmup": warmup])
    try Self.requirePositive(["beam": beam, "tests": tests])
    try Self.requirePositive(["learningRate": learningRate])
    let kinds = try networks.map { name in
      guard let kind = Kind(rawValue: name) else {
        throw Self.rejected("networks", name, "there are hull, hull10, lstm, attention, tour and delaunay")
      }
      return kind
    }
    let executor = try context.makeExecutor()
    var (runs, losses, curves) = ([Metrics](), [Double](), [LineChart.Series]())
    for kind in kinds {
      for seed in 0..<seeds {
        let key = context.key.folded(in: "\(kind) \(seed)")
        let f = Network(kind, h, key: key.folded(in: "weights"))
        let (name, batches) = ("\(kind) \(seed)", key.folded(in: "batches"))
        let found = try trained(f, kind, named: name, batches, executor, context)
        losses += found
        curves.append(.init(name, values: found))
        // All kinds are judged by the same points.
        runs.append(try judged(f, kind, context.key.folded(in: "tests \(seed)"), executor, context.output))
        try context.output?.append(step: losses.count, runs[runs.count - 1])
      }
    }
    let chart = LineChart("-log p(C | P)", x: .init("step"), y: .init("nats a position"), series: curves)
    try context.output?.write(chart, named: "loss")
    return try context.record(of: self, losses: losses, metrics: Metrics(meanOf: runs))
  }

  /// A step on examples like these: the loss, and weights moved against its gradient; the last of `count` hardly.
  func step(
    _ f: Network, _ like: PlanarExamples, of count: Int, _ executor: PlanExecutor
  ) throws -> CompiledStep {
    let theta = f.trainableParameters
    let rate: Schedule = .linear(from: learningRate, to: 0, over: count - warmup).warmedUp(over: warmup)
    let adam = Adam(for: theta, learningRate: rate)
    return try executor.compile(inputs: like.arrays.map { Signature($0.shape, $0.elementType) }) { x in
      let loss = Self.objective(f, x)
      let gradients = gradients(of: loss, withRespectTo: theta.map(\.tensor)).clipped(toGlobalNorm: 2)
      return StepDescription(outputs: [loss], assignments: adam.assignments(for: theta, gradients: gradients))
    }
  }

  /// Trains on fresh examples, and gives the losses.
  func trained(
    _ f: Network, _ kind: Kind, named name: String, _ key: RandomKey, _ executor: PlanExecutor,
    _ context: RunContext
  ) throws -> [Double] {
    func examples(_ number: Int) -> PlanarExamples {
      .init(kind.problem, count: batch, sizes: kind.sizes.trained, key: key.folded(in: UInt64(number)))
    }
    let count = max(1, context.limits.stepCount(steps, stepsPerEpoch: 1))
    let step = try step(f, examples(0), of: count, executor)
    return try context.train(name, of: Self.self, steps: count) { number in
      try step.run(examples(number).arrays)[0].doubles()[0]
    }
  }
}
