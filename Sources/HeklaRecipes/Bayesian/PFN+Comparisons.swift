import Foundation
import Hekla
import HeklaExperiments

/// Experiments B and C of `PFN`: the methods it is compared with.
extension PFN {
  /// -log p(y) and seconds a task of the PFN, MLE-II by 100 steps of Adam, and HMC with 200 samples, on the
  /// same tasks.
  func speed(_ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor) throws
    -> Metrics
  {
    let tasks = try executor.values(of: [mix.sample(slowTasks, Tensor(key))].flatMap { [$0.x, $0.y] }).map {
      Tensor($0)
    }
    let (x, y) = (tasks[0], tasks[1]), shape: Shape = [slowTasks, 1]
    let isContext = Tensor.range(rows).map { [slowContext] in $0 .< .constant(Double(slowContext), .int32) }
    let process: @Sendable (Tensor) -> GaussianProcess = { logL in
      GaussianProcess(squaredExponentialOf: x, lengthScale: logL.exp().expanded(at: -1), noise: Self.noise)
    }
    let likelihood: @Sendable (Tensor) -> Tensor = {
      process($0).logMarginalLikelihood(of: y, where: isContext)
    }
    let forward = try executor.compile(
      StepDescription(outputs: [Self.negativeLogDensity(q(x, y, isContext: isContext), y, bars)]))
    let predict = try executor.compile(inputs: [Signature(shape)]) { logL in
      let values = process(logL[0]).prediction(from: y, where: isContext).negativeLogDensity(at: y)
      return StepDescription(outputs: [values])
    }
    let start = Tensor.full(shape, log(0.2)), logL = Parameter(start)
    let ascent = try executor.compile(
      StepDescription(
        assignments: Adam(for: [logL], learningRate: 0.05).assignments(
          minimizing: -likelihood(logL.tensor).sum())))
    let chains = HamiltonianMonteCarlo(from: start, stepSize: 0.1, leapfrogs: 10) { q in
      // The prior of log l: Gamma(2, scale 0.1) times dl / dlog l.
      -likelihood(q) - q.map { 2 * $0 - 10 * .exp($0) }.squeezed([-1])
    }
    let move = try executor.compile(inputs: [Signature([2], .uint32)]) { key in
      let next = chains.next(key: key[0])
      return StepDescription(
        outputs: [next.position, next.isAccepted.converted(to: .float32).mean()],
        assignments: [chains.position.assigning(next.position)])
    }
    let isQuery = (0..<slowTasks * rows).map { $0 % rows >= slowContext }
    func mean(_ values: [Double]) -> Double {
      zip(values, isQuery).reduce(0) { $0 + ($1.1 ? $1.0 : 0) } / Double(slowTasks * (rows - slowContext))
    }
    var metrics = Metrics()
    func note(_ name: String, repeated count: Int = 1, _ body: () throws -> [Double]) throws {
      let start = ContinuousClock.now
      var values: [Double] = []
      for _ in 0..<count { values = try body() }
      metrics["b.seconds.\(name)"] = (ContinuousClock.now - start) / .seconds(1) / Double(count * slowTasks)
      metrics["b.nll.\(name)"] = mean(values)
    }
    _ = try (forward.run(), predict.run([executor.values(of: logL)]))
    try note("pfn", repeated: 20) { try forward.run()[0].doubles() }
    try note("mle") {
      for _ in 0..<100 { try ascent.submit() }
      return try predict.run([executor.values(of: logL)])[0].doubles()
    }
    let burnIn = 50
    var accepted = 0.0
    try note("hmc") {
      var density = [Double](repeating: 0, count: slowTasks * rows)
      for number in 0..<200 {
        let state = try move.run([key.folded(in: UInt64(number)).array])
        accepted += state[1].doubles()[0] / 200
        guard number >= burnIn else { continue }
        for (place, value) in try predict.run([state[0]])[0].doubles().enumerated() {
          density[place] += exp(-value)
        }
      }
      return density.map { -log($0 / Double(200 - burnIn)) }
    }
    metrics["b.accepted.hmc"] = accepted
    return metrics
  }
}

extension PFN {
  /// A table of two classes.
  struct Table: Sendable {
    let name: String
    let rows: [[Double]]
    let labels: [Bool]

    /// Breast cancer, the wines 0 and 1, the irises 1 and 2, the digits 3 and 8.
    static func all(in folder: String) throws -> [Table] {
      try [
        ("breast_cancer", "breast_cancer.csv", 0, 1, 1), ("wine", "wine_data.csv", 0, 1, 1),
        ("iris", "iris.csv", 1, 2, 1), ("digits", "digits.csv", 3, 8, 0),
      ].map { name, file, first, second, skipped in
        let paths = ["\(folder)/\(file)", "\(folder)/uci-classification/\(file)"].flatMap {
          [$0, $0 + ".gz"]
        }
        let path = paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0]
        let table = try CSVFile(
          path, format: .init(hasHeader: false, skippedLineCount: skipped, skipsBlankLines: true))
        let columns = table.columnCount
        let all = try table.numbers(as: Double.self).doubles()
        // The label is the last column.
        let rows = stride(from: 0, to: all.count, by: columns).map { Array(all[$0..<$0 + columns]) }
          .filter { [Double(first), Double(second)].contains($0[columns - 1]) }
        return Table(
          name: name, rows: rows.map { Array($0.dropLast()) },
          labels: rows.map { $0[columns - 1] == Double(second) })
      }
    }

    /// The rows in an order in which 15 of each class come first; x of the features with the largest variance
    /// there, standardized on those 30, [count, 8], zeros for features that are not there; y is 0 or 1.
    func split(features: Int, key: RandomKey) -> (x: [Float], y: [Float]) {
      let order = key.permutation(of: rows.count)
      let context = [false, true].flatMap { label in order.filter { labels[$0] == label }.prefix(15) }
      let all = context + order.filter { !context.contains($0) }
      let moments = rows[0].indices.map { column -> (mean: Double, deviation: Double) in
        let values = context.map { rows[$0][column] }, mean = values.reduce(0, +) / 30
        return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 30).squareRoot())
      }
      let kept = moments.indices.filter { moments[$0].deviation > 0 }
        .sorted { (moments[$0].deviation, $1) > (moments[$1].deviation, $0) }.prefix(features)
      let scale = Double(PFN.mostFeatures) / Double(max(1, kept.count))
      let x = all.flatMap { row in
        kept.map { Float(scale * (rows[row][$0] - moments[$0].mean) / moments[$0].deviation) }
          + [Float](repeating: 0, count: PFN.mostFeatures - kept.count)
      }
      return (x, all.map { labels[$0] ? 1 : 0 })
    }
  }

  /// The areas under the ROC of the PFN, of logistic regression and of 5 nearest neighbours, on the same 30
  /// rows.
  func areas(_ q: Network, _ tables: [Table], key: RandomKey, on executor: PlanExecutor) throws -> Metrics {
    var metrics = Metrics()
    let methods = ["pfn", "logistic", "neighbors"]
    for table in tables {
      let drawn = (0..<splits).map { split in
        table.split(features: features, key: key.folded(in: table.name).folded(in: UInt64(split)))
      }
      let t = table.rows.count
      let x = Tensor(drawn.flatMap(\.x), shape: [splits, t, Self.mostFeatures])
      let y = Tensor(drawn.flatMap(\.y), shape: [splits, t])
      let isContext = Tensor.range(t).map { $0 .< .constant(30, .int32) }
      let scores = [
        q(x, y, isContext: isContext).sliced(30..<t, along: 1).squeezed([-1]), logistic(x, y),
        neighbors(x, y),
      ]
      let labels = y.sliced(30..<t, along: 1) .> 0.5
      let areas = try executor.values(of: scores.map { areaUnderCurve(scores: $0, labels: labels).mean() })
      for (method, area) in zip(methods, areas) {
        metrics["c.auc.\(method).\(table.name)"] = area.doubles()[0]
      }
    }
    for method in methods {
      let areas = tables.compactMap { metrics["c.auc.\(method).\($0.name)"] }
      metrics["c.auc.\(method)"] = areas.reduce(0, +) / Double(areas.count)
    }
    return metrics
  }

  /// Scores of the queries by a linear model of the context, whose L2 penalty has the least leave-one-out
  /// loss.
  private func logistic(_ x: Tensor, _ y: Tensor) -> Tensor {
    let (s, f) = (x.shape[0], Self.mostFeatures + 1), penalties: [Float] = [0.1, 1, 10, 100]
    let ones = Tensor.concatenating([x, .ones([s, x.shape[1], 1])], along: -1)
    let (context, labels) = (ones.sliced(0..<30, along: 1), y.sliced(0..<30, along: 1))
    // Folds 0..<30 leave one row out, the last none; the intercept has next to no penalty.
    let folds = Tensor.map(.coordinates([31, 30], along: 0), .coordinates([31, 30], along: 1)) { $0 .!= $1 }
    let penalty = Tensor(
      penalties.flatMap { [Float](repeating: $0, count: f - 1) + [1e-3] }, shape: [4, 1, f])
    let w = logisticRegression(
      context.reshaped(to: [s, 1, 1, 30, f]), labels: labels.reshaped(to: [s, 1, 1, 30]),
      rowWeights: folds.converted(to: .float32), penalty: penalty)
    let left = context.reshaped(to: [s, 1, 1, 30, f]).vectorProduct(w.sliced(0..<30, along: 2)).diagonal()
    let losses = binaryCrossEntropy(
      logits: left, targets: labels.reshaped(to: [s, 1, 30]).broadcast(to: left.shape), reduction: .none)
    let best = losses.mean(along: -1).argumentMinimum(along: -1).oneHot(penalties.count)
    let chosen = (w.element(30, along: 2) * best.expanded(at: -1)).sum(along: 1)
    return ones.sliced(30..<x.shape[1], along: 1).vectorProduct(chosen)
  }

  /// The share of positives among the 5 nearest context rows of each query.
  private func neighbors(_ x: Tensor, _ y: Tensor) -> Tensor {
    let distances = x.sliced(30..<x.shape[1], along: 1).squaredDistances(to: x.sliced(0..<30, along: 1))
    let nearest = distances.topK(5, smallest: true).positions
    return y.sliced(0..<30, along: 1).gathered(at: nearest, batchAxes: 1).mean(along: -1)
  }
}
