import Foundation
import Hekla
import HeklaExperiments

/// Learns Bayesian inference: trained on data sets of a prior p(D), a transformer q(y | x, D) predicts as its
/// posterior.
///
/// Draw D = (x_i, y_i), i <= T, from the prior; show n pairs and minimize the mean of -log q(y | x, D_n) over
/// the other rows, whose expectation is least at the posterior predictive distribution. No positions: rows
/// are a set. Every row reads the context, a query also itself. A: a process whose posterior is known. B: a
/// prior over processes, and what others need for it. C: real tables by a prior over networks.
///
/// Departures: width 64 and 3 layers instead of 512 and 6; batches of 64 instead of 100, for 4,000 steps in A,
/// 5,000 in B and 2,000 in C; the GELU by its tanh form; Gaussian processes of one feature; in B a hyper-prior
/// on the length scale alone; in C hyper-priors of its own, and four sets that come with scikit-learn for
/// OpenML's.
struct PFN: Experiment {
  static let paper = Paper(
    "Transformers Can Do Bayesian Inference", by: "Müller, Hollmann, Pineda Arango, Grabocka and Hutter",
    year: 2022, id: "arXiv:2112.10510")

  /// How n is drawn: with p(n) uniform, or ~ 1 / (T - n), so that late rows are queries as often as early ones.
  enum ContextSizes: String, Codable, CaseIterable { case uniform, weighted }

  var steps = 4000, mixSteps = 5000, tableSteps = 2000, seeds = 3
  var rows = 30, tableRows = 60, batch = 64, buckets = 100, mixBuckets = 200
  var width = 64, heads = 4, hidden = 128, layers = 3
  var learningRate = 1e-3
  var contextSizes = ContextSizes.uniform
  var contexts = [1, 3, 5, 10, 20, 29]
  var tasks = 1000, slowTasks = 100, slowContext = 10
  var features = 8, splits = 20

  static let settingNotes = [
    "steps": "of each training of A; an epoch is 100", "mixSteps": "of B", "tableSteps": "of C",
    "seeds": "trainings of A", "rows": "T of A and B", "tableRows": "T of C",
    "buckets": "of the distribution in A", "mixBuckets": "in B",
    "hidden": "extent between layers of perceptrons and of the decoder",
    "contextSizes": "p(n) in training: uniform, or weighted, 1 / (T - n)",
    "contexts": "values of n to evaluate A at, each in 1..<T", "tasks": "fresh data sets at each n, and of B",
    "slowTasks": "of them in B, for HMC and to time all", "slowContext": "n of B",
    "features": "of a table at most, up to 8", "splits": "of each table",
  ]

  static let claims = [
    Claim("A: within 0.15 nats of the exact posterior, within 0.25 at every n", source: "abstract") {
      $0["a.gap"] <= 0.15 && $0["a.gap.most"] <= 0.25
    },
    Claim("A: from n = 5 on better than processes with l off by 3", source: "reduced setting A") {
      $0["a.misspecified"] < 0
    },
    Claim("A: at n = 10 its means correlate to 0.98 with the posterior's", source: "abstract") {
      $0["a.correlation.10"] >= 0.98
    },
    Claim("A: its 95% intervals hold 92% to 98%", source: "reduced setting A") {
      $0["a.coverage.least"] >= 0.92 && $0["a.coverage.most"] <= 0.98
    },
    Claim("B: no more than 0.05 nats behind MLE-II", source: "reduced setting B") {
      $0["b.nll.pfn"] <= $0["b.nll.mle"] + 0.05
    },
    Claim(
      "B: 200 times as fast as HMC, which does one data set at a time", source: "abstract: over 200 times"
    ) {
      $0["b.seconds.hmc"] >= 200 * $0["b.seconds.pfn"]
    },
    Claim("B: 20 times as fast as MLE-II, which does one data set at a time", source: "reduced setting B") {
      $0["b.seconds.mle"] >= 20 * $0["b.seconds.pfn"]
    },
    Claim(
      "C: area under the ROC no more than 0.02 below logistic regression's",
      source: "tabular data: best mean rank"
    ) { $0["c.auc.pfn"] >= $0["c.auc.logistic"] - 0.02 },
    Claim("C: area of 0.75 on breast cancer", source: "reduced setting C") {
      $0["c.auc.pfn.breast_cancer"] >= 0.75
    },
    Claim("contexts are sets to 1e-4, and queries do not see each other", source: "method") {
      $0["exact.permutation"] < 1e-4 && $0["exact.query"] == 0
    },
  ]
}

// MARK: - Data

extension PFN {
  static let l = 0.2, noise = 1e-2

  /// A prior over data sets: x, [B, T, F], and y, [B, T], drawn on the device.
  struct Prior: Sendable {
    let rows, features: Int
    let sample: @Sendable (_ batch: Int, _ key: Tensor) -> (x: Tensor, y: Tensor)
  }

  /// y of a Gaussian process on x ~ U(0, 1), with l drawn for each data set.
  func processes(l: @escaping @Sendable (Shape, Tensor) -> Tensor) -> Prior {
    Prior(rows: rows, features: 1) { [rows] batch, key in
      let x = Tensor.uniform([batch, rows, 1], key: key.folded(in: 0))
      let process = GaussianProcess(
        squaredExponentialOf: x, lengthScale: l([batch, 1, 1], key.folded(in: 1)), noise: Self.noise)
      return (x, process.sample(key: key.folded(in: 2)))
    }
  }
  /// Prior A.
  var fixed: Prior { processes { shape, _ in .full(shape, Self.l) } }
  /// Prior B, l ~ Gamma(2, scale 0.1).
  var mix: Prior { processes { shape, key in .gamma(.full(shape, 2), key: key) * 0.1 } }

  /// Which of `count` rows are the context, the first `n`.
  static func context(_ n: Tensor, of count: Int) -> Tensor { .map(.range(count), n) { $0 .< $1 } }
  static func context(_ n: Int, of count: Int) -> Tensor { context(.full([], Double(n), .int32), of: count) }
}

// MARK: - Model

extension PFN {
  /// q(y | x, D): blocks with norms after each sum, whose parts start at 0; rows are tokens.
  struct Network: Module {
    let xEncoder, yEncoder, decoder, output: Linear
    let blocks: [TransformerBlock]

    init(_ s: PFN, features: Int, outputs: Int, key: RandomKey) {
      func linear(_ inputs: Int, _ outputs: Int, _ name: String) -> Linear {
        Linear(inputs: inputs, outputs: outputs, key: key.folded(in: name))
      }
      (xEncoder, yEncoder) = (linear(features, s.width, "x"), linear(1, s.width, "y"))
      blocks = (0..<s.layers).map { layer in
        TransformerBlock(
          width: s.width, heads: s.heads, hidden: s.hidden, normalization: .after, outputInitializer: .zeros,
          key: key.folded(in: UInt64(layer)))
      }
      (decoder, output) = (linear(s.width, s.hidden, "decoder"), linear(s.hidden, outputs, "output"))
    }

    /// Logits, [B, T - first, outputs], of the rows from `first` on.
    ///
    /// - Parameters:
    ///   - x: [B, T, F].
    ///   - y: [B, T]; read where `isContext`, [T], says so.
    func callAsFunction(_ x: Tensor, _ y: Tensor, isContext: Tensor, from first: Int = 0) -> Tensor {
      let t = x.shape[1]
      let tokens = Tensor.map(xEncoder(x), yEncoder(y.expanded(at: -1)), isContext.expanded(at: -1)) {
        $0 + .select($2, $1, 0)
      }
      let mask = Tensor.identity(t).map { $0 .> 0 } .| isContext.expanded(at: 0).broadcast(to: [t, t])
      let rows = blocks.reduce(tokens) { $1($0, mask: mask) }.sliced(first..<t, along: 1)
      return output(decoder(rows).gelu())
    }
  }
}

// MARK: - Objective

extension PFN {
  /// -log q(y | x, D), [B, T]: of a bar distribution, or of a binary label where there is none.
  static func negativeLogDensity(_ logits: Tensor, _ y: Tensor, _ bars: BarDistribution?) -> Tensor {
    bars.map { $0.negativeLogDensity(logits: logits, at: y) }
      ?? binaryCrossEntropy(logits: logits.squeezed([-1]), targets: y, reduction: .none)
  }

  /// The mean of [B, T] over queries.
  static func queryMean(_ values: Tensor, _ isContext: Tensor) -> Tensor {
    let isQuery = isContext.map { .select($0, 0, 1) }.converted(to: .float32)
    return (values * isQuery).sum() / (isQuery.sum() * Double(values.shape[0]))
  }
}

// MARK: - Training

extension PFN {
  /// n of a data set of `rows` rows, in 1..<rows; int32 of rank 0.
  func contextSize(of rows: Int, key: Tensor) -> Tensor {
    let weights = (1..<rows).map { contextSizes == .weighted ? -log(Float(rows - $0)) : 0 }
    return Tensor.categorical(logits: Tensor(weights), key: key).map { $0 + .constant(1, .int32) }
  }

  /// A step on data sets drawn from the prior under the key that it is given; n is a mask, so that one step
  /// serves all.
  func step(_ q: Network, _ prior: Prior, _ bars: BarDistribution?, steps: Int, on executor: PlanExecutor)
    throws -> CompiledStep
  {
    let warmUp = max(1, steps / 4), theta = q.trainableParameters
    let optimizer = Adam(
      for: theta, learningRate: .cosine(from: learningRate, over: steps - warmUp).warmedUp(over: warmUp))
    return try executor.compile(inputs: [Signature([2], .uint32)]) { key in
      let (x, y) = prior.sample(batch, key[0].folded(in: 0))
      let isContext = Self.context(contextSize(of: prior.rows, key: key[0].folded(in: 1)), of: prior.rows)
      let logits = q(x, y, isContext: isContext)
      let loss = Self.queryMean(Self.negativeLogDensity(logits, y, bars), isContext)
      let gradient = gradients(of: loss, withRespectTo: theta.map(\.tensor)).clipped(toGlobalNorm: 1)
      return StepDescription(
        outputs: [loss], assignments: optimizer.assignments(for: theta, gradients: gradient))
    }
  }

  /// Borders that give each bucket the same share of 100,000 y of the prior.
  func bars(_ buckets: Int, _ prior: Prior, key: RandomKey, on executor: PlanExecutor) throws
    -> BarDistribution
  {
    let y = try executor.values(of: [prior.sample(100_000 / prior.rows + 1, Tensor(key)).y])[0]
    return BarDistribution(buckets, quantilesOf: y.doubles())
  }

  func run(_ context: RunContext) throws -> RunRecord {
    try check()
    let tables = try tables(context)
    let executor = try context.makeExecutor()
    var (losses, metrics, studies) = ([Double](), Metrics(), [Metrics]())

    func trained(_ name: String, _ prior: Prior, _ bars: BarDistribution?, _ count: Int, _ key: RandomKey)
      throws -> Network
    {
      let count = max(1, context.limits.stepCount(count, stepsPerEpoch: 100))
      let q = Network(self, features: prior.features, outputs: bars?.count ?? 1, key: key.folded(in: "theta"))
      let step = try step(q, prior, bars, steps: count, on: executor)
      losses += try context.train(name, of: Self.self, steps: count) { number in
        try step.run([HostArray(key.folded(in: UInt64(number)))])[0].doubles()[0]
      }
      return q
    }

    for seed in 0..<seeds {
      let key = context.key.folded(in: "A").folded(in: UInt64(seed))
      let bars = try bars(buckets, fixed, key: key.folded(in: "borders"), on: executor)
      let q = try trained("A\(seed)", fixed, bars, steps, key)
      studies.append(try fits(q, bars, key: key.folded(in: "test"), on: executor))
      try context.output?.append(step: seed, studies[seed])
      guard seed == 0 else { continue }
      metrics.add(try exactness(q, key: key.folded(in: "exact"), on: executor))
      guard let output = context.output else { continue }
      try drawFan(q, bars, key: key.folded(in: "fan"), on: executor, into: output)
    }
    metrics.add(summary(studies))
    if let output = context.output { try drawGaps(studies, into: output) }

    let key = context.key.folded(in: "B")
    let bars = try bars(mixBuckets, mix, key: key.folded(in: "borders"), on: executor)
    let q = try trained("B", mix, bars, mixSteps, key)
    metrics.add(try speed(q, bars, key: key.folded(in: "test"), on: executor))
    if let tables {
      let key = context.key.folded(in: "C")
      let q = try trained("C", networks, nil, tableSteps, key)
      metrics.add(try areas(q, tables, key: key.folded(in: "splits"), on: executor))
    }
    return try context.record(of: self, losses: losses, metrics: metrics)
  }
}
