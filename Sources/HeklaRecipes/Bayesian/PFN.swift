import Foundation
import Hekla
import HeklaExperiments

/// Learns Bayesian inference: trained on data sets of a prior p(D), a transformer q(y | x, D) predicts as its
/// posterior.
///
/// Draw D = (x_i, y_i), i <= T, from the prior; show n pairs and minimize the mean of -log q(y | x, D_n) over
/// the other rows, whose expectation is least at the posterior predictive distribution. No positions: rows
/// are a set. Every row reads the context, a query also itself.
///
/// Departures: width 64 and 3 layers instead of 512 and 6; the GELU by its tanh form; Gaussian processes of
/// one feature; in (b) hyper-priors on the length scale alone; the tabular prior has its own hyper-priors,
/// four sets that come with scikit-learn stand for OpenML's; fewer steps. Times compare 100 tasks at once for
/// all methods, PFN or not.
struct PFN: Experiment {
  static let paper = Paper(
    "Transformers Can Do Bayesian Inference", by: "Müller, Hollmann, Pineda Arango, Grabocka and Hutter",
    year: 2022, id: "arXiv:2112.10510")

  var steps = 2500, mixSteps = 2000, tableSteps = 1000, seeds = 3
  var rows = 30, tableRows = 60, batch = 64, buckets = 100
  var width = 64, heads = 4, hidden = 128, layers = 3
  var learningRate = 1e-3
  var contexts = [1, 3, 5, 10, 20, 29]
  var tasks = 1000, slowTasks = 100, slowContext = 10
  var features = 8, splits = 20
  var favorsLateRows = false

  static let settingNotes = [
    "steps": "of training on prior A; an epoch is 100", "mixSteps": "on prior B", "tableSteps": "on prior C",
    "seeds": "trainings on prior A", "rows": "T of A and B", "tableRows": "T of C",
    "buckets": "of the distribution",
    "contexts": "values of n to evaluate A at, each in 1..<T", "tasks": "fresh data sets at each n",
    "slowTasks": "data sets of B", "slowContext": "n of B", "features": "of a table at most, up to 8",
    "splits": "of each table", "favorsLateRows": "whether p(n) ~ 1 / (T - n) in training, else it is uniform",
  ]

  static let claims = [
    Claim("A: the PFN is close to the exact posterior", source: "abstract") {
      $0["a.gap"] <= 0.15 && $0["a.gap.most"] <= 0.25
    },
    Claim("A: and better than a process with l off by 3", source: "reduced setting A") {
      $0["a.misspecified"] < 0
    },
    Claim("A: its mean is the posterior mean", source: "abstract") { $0["a.correlation.10"] >= 0.98 },
    Claim("A: its 95% intervals cover as much", source: "reduced setting A") {
      $0["a.coverage.least"] >= 0.92 && $0["a.coverage.most"] <= 0.98
    },
    Claim("B: as good as MLE-II", source: "reduced setting B") { $0["b.nll.pfn"] <= $0["b.nll.mle"] + 0.05 },
    Claim("B: 200 times as fast as MCMC (paper: over 200 in several setups)", source: "abstract") {
      $0["b.seconds.hmc"] >= 200 * $0["b.seconds.pfn"]
    },
    Claim(
      "B: 20 times as fast as MLE-II", source: "reduced setting B",
      failure: "15 times, where MLE-II also does 100 tasks at once"
    ) {
      $0["b.seconds.mle"] >= 20 * $0["b.seconds.pfn"]
    },
    Claim("C: no worse than tuned logistic regression (paper: best mean rank)", source: "reduced setting C") {
      $0["c.auc.pfn"] >= $0["c.auc.logistic"] - 0.02 && $0["c.auc.pfn.breast_cancer"] >= 0.75
    },
    Claim("contexts are sets, queries apart", source: "method") {
      $0["exact.permutation"] < 1e-4 && $0["exact.query"] == 0
    },
  ]
}

// MARK: - Data

extension PFN {
  static let l = 0.2, noise = 1e-2, mostFeatures = 8
  /// A prior over data sets: x, [B, T, F], and y, [B, T], drawn on the device.
  struct Prior: Sendable {
    let rows, features: Int
    let sample: @Sendable (_ batch: Int, _ key: Tensor) -> (x: Tensor, y: Tensor)
  }

  /// (a), (b): y of a Gaussian process on x ~ U(0, 1), with l drawn for each data set.
  func processes(l: @escaping @Sendable (Shape, Tensor) -> Tensor) -> Prior {
    Prior(rows: rows, features: 1) { [rows] batch, key in
      let x = Tensor.uniform([batch, rows, 1], key: key.folded(in: 0))
      let process = GaussianProcess(
        squaredExponentialOf: x, lengthScale: l([batch, 1, 1], key.folded(in: 1)), noise: Self.noise)
      return (x, process.sample(key: key.folded(in: 2)))
    }
  }
  var fixed: Prior { processes { shape, _ in .full(shape, Self.l) } }
  /// l ~ Gamma(2, scale 0.1).
  var mix: Prior { processes { shape, key in .gamma(.full(shape, 2), key: key) * 0.1 } }

  /// (c): y is whether a random network's output is above its median; of F features the first 1...F count.
  var networks: Prior {
    Prior(rows: tableRows, features: Self.mostFeatures) { [tableRows] batch, key in
      let (t, f, h) = (tableRows, Self.mostFeatures, 32)
      func uniform(_ number: UInt64) -> Tensor { .uniform([batch, 1, 1], key: key.folded(in: number)) }
      func gamma(_ a: Double, _ number: UInt64) -> Tensor {
        .gamma(.full([batch, 1, 1], a), key: key.folded(in: number))
      }
      let count = uniform(0).map { .floor($0 * Scalar(Double(f))) + 1 }
      let x = Tensor.map(.normal([batch, t, f], key: key.folded(in: 1)), count) { x, count in
        .select(Scalar.coordinate(2).converted(to: .float32) .< count, x, 0)
      }
      let (width, depth, sigma) = (uniform(2).map { .floor($0 * 29) + 4 }, uniform(3), gamma(2, 4))
      var z = x * count.reciprocalSquareRoot()
      for layer in 0..<3 {
        let w = Tensor.normal([batch, z.shape[2], h], key: key.folded(in: UInt64(10 + layer)))
        let b = Tensor.normal([batch, 1, h], key: key.folded(in: UInt64(20 + layer)))
        let next = Tensor.map([z.matrixProduct(w), b, sigma, uniform(5), width]) { x in
          let a = x[2] * (x[0] + 0.5 * x[1])
          let isUnit = Scalar.coordinate(2).converted(to: .float32) .< x[4]
          return .select(isUnit, .select(x[3] .< 0.5, .tanh(a), .maximum(a, 0)) / .sqrt(x[4]), 0)
        }
        // The second and third layer are there in two thirds and one third of the networks.
        z = layer == 0 ? next : .map(depth, next, z) { .select($0 .< Scalar(1 - Double(layer) / 3), $1, $2) }
      }
      let f1 = z.matrixProduct(.normal([batch, h, 1], key: key.folded(in: 6)))
      let deviation = f1.variance(along: 1, keepingAxes: true).map { .sqrt($0 + 1e-12) }
      let output = (f1 / deviation + .normal([batch, t, 1], key: key.folded(in: 7)) * gamma(1, 8) * 0.2)
        .squeezed([2])
      let median = output.sorted(along: 1).sliced((t - 1) / 2..<t / 2 + 1, along: 1).mean(
        along: 1, keepingAxes: true)
      return (.map(x, count) { $0 * (Scalar(Double(f)) / $1) }, (output .> median).converted(to: .float32))
    }
  }

  func rejected(_ name: String, _ given: Any, _ reason: String) -> ExperimentError {
    .settingRejected(name, owner: Self.name, given: "\(given)", reason: reason)
  }

  func check() throws {
    for (name, n) in contexts.map({ ("contexts", $0) }) + [("slowContext", slowContext)]
    where !(1..<rows).contains(n) {
      throw rejected(
        name, n, n == 0 ? "a context has at least one row" : "trained on \(rows) rows, n is in 1..<\(rows)")
    }
    guard (1...Self.mostFeatures).contains(features) else {
      throw rejected("features", features, "the network reads \(Self.mostFeatures) features at most")
    }
    let counts = [("steps", steps), ("mixSteps", mixSteps), ("tableSteps", tableSteps), ("seeds", seeds)]
    for (name, value) in counts + [
      ("tasks", tasks), ("slowTasks", slowTasks), ("splits", splits), ("batch", batch),
    ]
    where value < 1 { throw rejected(name, value, "it is positive") }
    guard tableRows > 30 else { throw rejected("tableRows", tableRows, "30 rows are the context of a table") }
    guard buckets > 2, heads > 0, width > 0, width % heads == 0, layers > 0, hidden > 0, learningRate > 0
    else {
      throw rejected("width", width, "heads divide the width, buckets are 3 or more, all else is positive")
    }
  }
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

    /// Logits [B, T, outputs] of x [B, T, F]; y [B, T] is read where isContext [T] says so.
    func callAsFunction(_ x: Tensor, _ y: Tensor, isContext: Tensor) -> Tensor {
      let tokens = Tensor.map(xEncoder(x), yEncoder(y.expanded(at: -1)), isContext.expanded(at: -1)) {
        x, y, isContext in
        x + .select(isContext, y, 0)
      }
      let t = x.shape[1]
      let mask = Tensor.identity(t).map { $0 .> 0 } .| isContext.expanded(at: 0).broadcast(to: [t, t])
      return output(decoder(blocks.reduce(tokens) { $1($0, mask: mask) }).gelu())
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
  /// One training step on data sets drawn from the prior under the key that it is given, uint32[2].
  func step(_ q: Network, _ prior: Prior, _ bars: BarDistribution?, steps: Int, on executor: PlanExecutor)
    throws
    -> CompiledStep
  {
    let warmUp = max(1, steps / 4), theta = q.trainableParameters
    let optimizer = Adam(
      for: theta, learningRate: .cosine(from: learningRate, over: steps - warmUp).warmedUp(over: warmUp))
    return try executor.compile(inputs: [Signature([2], .uint32)]) { key in
      let (x, y) = prior.sample(batch, key[0].folded(in: 0))
      // n = 1 ... T - 1, uniform or with p(n) ~ 1 / (T - n); a mask, so that one step serves every n.
      let weights = Tensor((1..<prior.rows).map { favorsLateRows ? -log(Float(prior.rows - $0)) : 0 })
      let last = Tensor.categorical(logits: weights, key: key[0].folded(in: 1))
      let isContext = Tensor.map(.range(prior.rows), last) { $0 .<= $1 }
      let loss = Self.queryMean(
        Self.negativeLogDensity(q(x, y, isContext: isContext), y, bars), isContext)
      let gradient = gradients(of: loss, withRespectTo: theta.map(\.tensor)).clipped(toGlobalNorm: 1)
      return StepDescription(
        outputs: [loss], assignments: optimizer.assignments(for: theta, gradients: gradient))
    }
  }

  /// Borders that give each bucket the same share of 100,000 y of the prior.
  func bars(_ prior: Prior, key: RandomKey, on executor: PlanExecutor) throws -> BarDistribution {
    let y = try executor.values(of: [prior.sample(100_000 / prior.rows + 1, Tensor(key)).y])[0]
    return BarDistribution(buckets, quantilesOf: y.doubles())
  }

  func run(_ context: RunContext) throws -> RunRecord {
    try check()
    let tables = try context.dataFolder.map { try Table.all(in: $0.path) }
    if tables == nil { context.console.print("pfn: without --data there are no tables, C is skipped") }
    func count(_ steps: Int) -> Int { max(1, context.limits.stepCount(steps, stepsPerEpoch: 100)) }
    let executor = try PlanExecutor(context.device)
    var (losses, metrics) = ([Double](), Metrics())

    func trained(_ name: String, _ prior: Prior, _ bars: BarDistribution?, _ steps: Int, _ key: RandomKey)
      throws
      -> Network
    {
      let q = Network(self, features: prior.features, outputs: bars?.count ?? 1, key: key.folded(in: "theta"))
      let step = try step(q, prior, bars, steps: steps, on: executor)
      let progress = context.progress("pfn \(name)", total: steps)
      for number in 0..<steps {
        let loss = try step.run([key.folded(in: UInt64(number)).array])[0].doubles()[0]
        guard loss.isFinite else {
          throw ExperimentError.stopped(
            owner: Self.name, reason: "the loss is \(loss) at step \(number) of \(name)")
        }
        losses.append(loss)
        progress.advance(to: number + 1, loss: loss)
        guard (number + 1) % 100 == 0 else { continue }
        try context.output?.append([
          .init("training", .text(name)), .init("step", JSONValue(number + 1)),
          .init("loss", JSONValue(losses.suffix(100).reduce(0, +) / 100)),
        ])
      }
      progress.finish()
      return q
    }

    var studies: [Fits] = []
    for seed in 0..<seeds {
      let key = context.key.folded(in: "A").folded(in: UInt64(seed))
      let bars = try bars(fixed, key: key.folded(in: "borders"), on: executor)
      let q = try trained("A\(seed)", fixed, bars, count(steps), key)
      studies.append(try fits(q, bars, key: key.folded(in: "test"), on: executor, output: context.output))
      if seed == 0 {
        metrics.add(try exactness(q, key: key.folded(in: "exact"), on: executor))
        if let output = context.output {
          try drawFan(q, bars, key: key.folded(in: "fan"), on: executor, into: output)
        }
      }
    }
    metrics.add(summary(studies))
    if let output = context.output { try drawGaps(studies, into: output) }

    let key = context.key.folded(in: "B")
    let bars = try bars(mix, key: key.folded(in: "borders"), on: executor)
    metrics.add(
      try speed(
        trained("B", mix, bars, count(mixSteps), key), bars, key: key.folded(in: "test"), on: executor))
    if let tables {
      let key = context.key.folded(in: "C")
      let q = try trained("C", networks, nil, count(tableSteps), key)
      metrics.add(try areas(q, tables, key: key.folded(in: "splits"), on: executor))
    }
    return try context.record(of: self, losses: losses, metrics: metrics)
  }
}

// MARK: - Evaluation

extension PFN {
  /// At each n the mean over queries of -log p(y), and how the predictions fit.
  typealias Fits = [Int: [String: Double]]

  func fits(
    _ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor, output: RunFolder?
  ) throws
    -> Fits
  {
    let step = try executor.compile(inputs: [Signature([2], .uint32), Signature([], .int32)]) { inputs in
      let (x, y) = fixed.sample(tasks, inputs[0])
      let isContext = Tensor.map(.range(rows), inputs[1]) { $0 .< $1 }
      func process(_ l: Double) -> GaussianProcess.Prediction {
        GaussianProcess(squaredExponentialOf: x, lengthScale: .full([], l), noise: Self.noise)
          .prediction(from: y, where: isContext)
      }
      let logits = q(x, y, isContext: isContext)
      let (exact, mean) = (process(Self.l), bars.mean(logits: logits))
      let prior = GaussianProcess.Prediction(mean: y * 0, variance: y * 0 + (1 + Self.noise))
      let isCovered = bars.cumulativeProbability(logits: logits, at: y).map {
        Scalar.select(($0 .>= 0.025) .& ($0 .<= 0.975), 1, 0)
      }.converted(to: .float32)
      func average(_ values: Tensor) -> Tensor { Self.queryMean(values, isContext) }
      let (m, e) = (mean - average(mean), exact.mean - average(exact.mean))
      return StepDescription(
        outputs: [
          Self.negativeLogDensity(logits, y, bars), exact.negativeLogDensity(at: y),
          process(3 * Self.l).negativeLogDensity(at: y), process(Self.l / 3).negativeLogDensity(at: y),
          prior.negativeLogDensity(at: y), isCovered, m * e, m * m, e * e,
        ].map(average))
    }
    var fits: Fits = [:]
    for n in contexts {
      let v = try step.run([key.folded(in: UInt64(n)).array, HostArray(scalar: Int32(n))]).map {
        $0.doubles()[0]
      }
      fits[n] = [
        "pfn": v[0], "exact": v[1], "wide": v[2], "narrow": v[3], "prior": v[4], "coverage": v[5],
        "correlation": v[6] / (v[7] * v[8]).squareRoot(),
      ]
      let line = ["pfn", "exact", "wide", "narrow", "prior"].map {
        JSONValue.Member($0, JSONValue(fits[n]?[$0] ?? .nan))
      }
      try output?.append([.init("n", JSONValue(n))] + line)
    }
    return fits
  }

  func summary(_ studies: [Fits]) -> Metrics {
    var metrics = Metrics()
    func mean(_ n: Int, _ value: ([String: Double]) -> Double?) -> Double {
      studies.compactMap { $0[n].flatMap(value) }.reduce(0, +) / Double(studies.count)
    }
    func difference(_ other: String) -> ([String: Double]) -> Double? {
      { fit in fit["pfn"].flatMap { pfn in fit[other].map { pfn - $0 } } }
    }
    for n in contexts {
      for other in ["wide", "narrow", "prior"] {
        metrics["a.minus.\(other).\(n)"] = mean(n, difference(other))
      }
      (metrics["a.gap.\(n)"], metrics["a.nll.exact.\(n)"]) = (
        mean(n, difference("exact")), mean(n) { $0["exact"] }
      )
      for name in ["coverage", "correlation"] { metrics["a.\(name).\(n)"] = mean(n) { $0[name] } }
    }
    func all(_ name: String, from least: Int = 1) -> [Double] {
      contexts.filter { $0 >= least }.compactMap { metrics["\(name).\($0)"] }
    }
    let gaps = all("a.gap", from: 3)
    metrics["a.gap"] = gaps.isEmpty ? nil : gaps.reduce(0, +) / Double(gaps.count)
    metrics["a.gap.most"] = all("a.gap").max()
    metrics["a.misspecified"] = (all("a.minus.wide", from: 5) + all("a.minus.narrow", from: 5)).max()
    (metrics["a.coverage.least"], metrics["a.coverage.most"]) = (
      all("a.coverage").min(), all("a.coverage").max()
    )
    return metrics
  }

  /// How far outputs of queries move when the context is reordered, and when another query's x changes.
  func exactness(_ q: Network, key: RandomKey, on executor: PlanExecutor) throws -> Metrics {
    let n = min(10, rows - 2)
    let (x, y) = fixed.sample(64, Tensor(key))
    let isContext = Tensor.range(rows).map { $0 .< .constant(Double(n), .int32) }
    func queries(_ x: Tensor, _ y: Tensor) -> Tensor {
      q(x, y, isContext: isContext).sliced(n..<rows - 1, along: 1)
    }
    let order = Tensor(((0..<n).reversed() + (n..<rows)).map(Int32.init))
    let other = x.map { .select(.coordinate(1) .== .constant(Double(rows - 1), .int32), 1 - $0, $0) }
    let before = queries(x, y)
    let after = [
      queries(x.gathered(at: order, along: 1), y.gathered(at: order, along: 1)), queries(other, y),
    ]
    let moved = try executor.values(of: after.map { ($0 - before).absolute().maximum() }).map {
      $0.doubles()[0]
    }
    return ["exact.permutation": moved[0], "exact.query": moved[1]]
  }

  /// NLL above that of the exact posterior, against n.
  func drawGaps(_ studies: [Fits], into output: RunFolder) throws {
    let names = [
      ("pfn", "PFN"), ("wide", "process with 3 l"), ("narrow", "process with l / 3"), ("prior", "prior"),
    ]
    let series = names.map { key, name in
      LineChart.Series(
        name,
        contexts.map { n in
          .init(
            x: Double(n),
            meanOf: studies.compactMap { $0[n] }.map { ($0[key] ?? .nan) - ($0["exact"] ?? .nan) })
        })
    }
    try output.write(
      LineChart(
        "Loss above the exact posterior's", x: .init("n, rows of context"), y: .init("nats"), series: series),
      named: "gap")
  }

  /// Mean and 95% band beside the exact posterior's, for one context.
  func drawFan(
    _ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor, into output: RunFolder
  )
    throws
  {
    let n = min(8, rows - 1), grid = (0...100).map { Float($0) / 100 }
    let (x, y) = fixed.sample(1, Tensor(key))
    let places = Tensor.concatenating(
      [x.sliced(0..<n, along: 1), Tensor(grid, shape: [1, 101, 1])], along: 1)
    let values = Tensor.concatenating([y.sliced(0..<n, along: 1), .zeros([1, 101])], along: 1)
    let isContext = Tensor.range(n + 101).map { $0 .< .constant(Double(n), .int32) }
    let exact = GaussianProcess(
      squaredExponentialOf: places, lengthScale: .full([], Self.l), noise: Self.noise
    )
    .prediction(from: values, where: isContext)
    let logits = q(places, values, isContext: isContext)
    let deviation = exact.variance.squareRoot() * 1.96
    let v = try executor.values(of: [
      places, values, bars.mean(logits: logits), bars.quantile(logits: logits, 0.025),
      bars.quantile(logits: logits, 0.975), exact.mean, exact.mean - deviation, exact.mean + deviation,
    ]).map { $0.doubles() }
    func band(_ name: String, _ first: Int) -> LineChart.Series {
      let points = (n..<n + 101).map { row in
        LineChart.Point(
          x: v[0][row], y: v[first][row], range: v[first + 1][row]...max(v[first + 1][row], v[first + 2][row])
        )
      }
      return .init(name, points, style: .band)
    }
    let shown = LineChart.Series("context", (0..<n).map { .init(x: v[0][$0], y: v[1][$0]) }, style: .markers)
    try output.write(
      LineChart(
        "Posterior predictive, mean and 95%", x: .init("x"), y: .init("y"),
        series: [band("PFN", 2), band("exact", 5), shown]), named: "fan")
  }
}

extension RandomKey {
  /// The key as an argument of a step, uint32[2].
  var array: HostArray { HostArray([words.x, words.y]) }
}
