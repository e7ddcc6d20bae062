import Foundation
import Hekla
import HeklaExperiments

extension PFN {
  /// Of A, at each n, over queries: the mean of -log p(y) by the PFN, the exact posterior, processes with 3 l and
  /// l / 3, and the prior; the share of y within 95% intervals; how means correlate with the posterior's.
  func fits(_ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor) throws
    -> Metrics
  {
    let step = try executor.compile(inputs: [Signature([2], .uint32), Signature([], .int32)]) { inputs in
      let (x, y) = fixed.sample(tasks, inputs[0])
      let isContext = Self.context(inputs[1], of: rows)
      func process(_ l: Double) -> GaussianProcess.Prediction {
        GaussianProcess(squaredExponentialOf: x, lengthScale: .full([], l), noise: Self.noise)
          .prediction(from: y, where: isContext)
      }
      func average(_ values: Tensor) -> Tensor { Self.queryMean(values, isContext) }
      let (logits, exact) = (q(x, y, isContext: isContext), process(Self.l))
      let prior = GaussianProcess.Prediction(mean: y * 0, variance: y * 0 + (1 + Self.noise))
      let isCovered = bars.cumulativeProbability(logits: logits, at: y).map {
        Scalar.select(($0 .>= 0.025) .& ($0 .<= 0.975), 1, 0)
      }.converted(to: .float32)
      let mean = bars.mean(logits: logits)
      let (m, e) = (mean - average(mean), exact.mean - average(exact.mean))
      let others = [exact, process(3 * Self.l), process(Self.l / 3), prior].map {
        $0.negativeLogDensity(at: y)
      }
      let outputs =
        [Self.negativeLogDensity(logits, y, bars)] + others + [isCovered, m * e, m * m, e * e]
      return StepDescription(outputs: outputs.map(average))
    }
    var metrics = Metrics()
    for n in contexts {
      let values = try step.run([HostArray(key.folded(in: UInt64(n))), HostArray(scalar: Int32(n))]).map {
        $0.doubles()[0]
      }
      for (name, value) in zip(["pfn", "exact", "wide", "narrow", "prior", "coverage"], values) {
        metrics["a.\(name).\(n)"] = value
      }
      metrics["a.gap.\(n)"] = values[0] - values[1]
      metrics["a.misspecified.\(n)"] = values[0] - min(values[2], values[3])
      metrics["a.correlation.\(n)"] = values[6] / (values[7] * values[8]).squareRoot()
    }
    return metrics
  }

  /// The means of studies of A, and what claims ask of them.
  func summary(_ studies: [Metrics]) -> Metrics {
    var metrics = Metrics(meanOf: studies)
    func all(_ name: String, from least: Int = 1) -> [Double] {
      contexts.filter { $0 >= least }.compactMap { metrics["a.\(name).\($0)"] }
    }
    let (gaps, coverage) = (all("gap", from: 3), all("coverage"))
    metrics["a.gap"] = gaps.isEmpty ? nil : gaps.reduce(0, +) / Double(gaps.count)
    metrics["a.gap.most"] = all("gap").max()
    metrics["a.misspecified"] = all("misspecified", from: 5).max()
    (metrics["a.coverage.least"], metrics["a.coverage.most"]) = (coverage.min(), coverage.max())
    return metrics
  }

  /// How far outputs of queries move when the context is reordered, and when another query's x changes.
  func exactness(_ q: Network, key: RandomKey, on executor: PlanExecutor) throws -> Metrics {
    let n = min(10, rows - 2)
    let (x, y) = fixed.sample(64, Tensor(key))
    func queries(_ x: Tensor, _ y: Tensor) -> Tensor {
      q(x, y, isContext: Self.context(n, of: rows), from: n).sliced(0..<rows - n - 1, along: 1)
    }
    let order = Tensor(((0..<n).reversed() + (n..<rows)).map(Int32.init))
    let other = x.map { .select(.coordinate(1) .== .constant(Double(rows - 1), .int32), 1 - $0, $0) }
    let changed = [
      queries(x.gathered(at: order, along: 1), y.gathered(at: order, along: 1)), queries(other, y),
    ]
    let before = queries(x, y)
    let moved = try executor.values(of: changed.map { ($0 - before).absolute().maximum() })
    return ["exact.permutation": moved[0].doubles()[0], "exact.query": moved[1].doubles()[0]]
  }

  /// Loss above the exact posterior's, against n.
  func drawGaps(_ studies: [Metrics], into output: RunFolder) throws {
    let names = [
      ("pfn", "PFN"), ("wide", "process with 3 l"), ("narrow", "process with l / 3"), ("prior", "prior"),
    ]
    let series = names.map { key, name in
      LineChart.Series(name, at: contexts, of: studies) {
        "a.\(key).\($0)"
      } above: {
        "a.exact.\($0)"
      }
    }
    let x = LineChart.Axis("n, rows of context")
    try output.write(
      LineChart("Loss above the exact posterior's", x: x, y: .init("nats"), series: series), named: "gap")
  }

  /// Mean and 95% band beside the exact posterior's, for one context.
  func drawFan(
    _ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor, into output: RunFolder
  ) throws {
    let n = min(8, rows - 1), grid = (0...100).map { Float($0) / 100 }, (x, y) = fixed.sample(1, Tensor(key))
    let context = y.sliced(0..<n, along: 1)
    let places = Tensor.concatenating(
      [x.sliced(0..<n, along: 1), Tensor(grid, shape: [1, 101, 1])], along: 1)
    let exact = GaussianProcess(
      squaredExponentialOf: places, lengthScale: .full([], Self.l), noise: Self.noise
    )
    .prediction(fromFirst: context)
    let isContext = Self.context(n, of: n + 101)
    let values = Tensor.concatenating([context, .zeros([1, 101])], along: 1)
    let logits = q(places, values, isContext: isContext, from: n)
    let (mean, reach) = (exact.mean, exact.variance.squareRoot() * 1.96)
    let exactBand = [mean, mean - reach, mean + reach].map { $0.sliced(n..<n + 101, along: 1) }
    let bands = [
      bars.mean(logits: logits), bars.quantile(logits: logits, 0.025), bars.quantile(logits: logits, 0.975),
    ]
    let drawn = try executor.values(of: [x.sliced(0..<n, along: 1), context] + bands + exactBand).map {
      $0.doubles()
    }
    func band(_ name: String, _ first: Int) -> LineChart.Series {
      .init(
        name, band: drawn[first], at: grid.map(Double.init), lower: drawn[first + 1], upper: drawn[first + 2])
    }
    let shown = LineChart.Series(
      "context", zip(drawn[0], drawn[1]).map { .init(x: $0, y: $1) }, style: .markers)
    let title = "Posterior predictive, mean and 95%"
    try output.write(
      LineChart(
        title, x: .init("x"), y: .init("y"), series: [band("PFN", 2), band("exact", 5), shown]), named: "fan")
  }
}
