import Hekla
import HeklaExperiments

/// Experiment C of `PFN`: real tables by a prior over networks.
extension PFN {
  static let mostFeatures = 8, tableContext = 30

  /// Prior C: y is whether a random network's output is above its median; of F features the first 1...F count.
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

  /// A table of two classes.
  struct Table: Sendable {
    let name: String
    let rows: [[Double]]
    let labels: [Bool]

    init(_ set: UCITable, _ classes: [Int], in folder: String) throws(DataError) {
      let contents = try set.load(from: folder)
      let kept = contents.labels.indices.filter { classes.contains(contents.labels[$0]) }
      let counts = classes.map { label in contents.labels.count { $0 == label } }
      // As many as the context has, and one to ask for.
      let least = PFN.tableContext / 2 + 1
      guard counts.allSatisfy({ $0 >= least }) else {
        throw .wrongContents(
          file: contents.file, expected: "\(least) rows or more of each of the classes \(classes)",
          found: "\(counts)")
      }
      (name, rows) = (set.rawValue, kept.map { contents.rows[$0] })
      labels = kept.map { contents.labels[$0] == classes[1] }
    }

    /// The rows in an order in which 15 of each class come first; x of the features with the largest variance
    /// there, standardized on those 30, [count, 8], zeros for features that are not there; y is 0 or 1.
    func split(features: Int, key: RandomKey) -> (x: [Float], y: [Float]) {
      let order = key.permutation(of: rows.count), n = PFN.tableContext
      let context = [false, true].flatMap { label in order.filter { labels[$0] == label }.prefix(n / 2) }
      let all = context + order.filter { !context.contains($0) }
      let moments = rows[0].indices.map { column -> (mean: Double, deviation: Double) in
        let values = context.map { rows[$0][column] }, mean = values.reduce(0, +) / Double(n)
        return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)).squareRoot())
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

  /// The tables, or nil, and a message, where the user has not got them.
  func tables(_ context: RunContext) throws -> [Table]? {
    guard let folder = context.dataFolder?.path else {
      context.console.print("pfn: without --data there are no tables, C is skipped")
      return nil
    }
    do {
      return try [(UCITable.breastCancer, [0, 1]), (.wine, [0, 1]), (.iris, [1, 2]), (.digits, [3, 8])].map {
        try Table($0, $1, in: folder)
      }
    } catch let error as DataError {
      guard case .missingFile = error else { throw error }
      context.console.print("pfn: C is skipped. \(error)")
      return nil
    }
  }

  /// The areas under the ROC of the PFN, of logistic regression and of 5 nearest neighbours, on the same
  /// context.
  func areas(_ q: Network, _ tables: [Table], key: RandomKey, on executor: PlanExecutor) throws -> Metrics {
    var metrics = Metrics()
    let methods = ["pfn", "logistic", "neighbors"]
    for table in tables {
      let drawn = (0..<splits).map { split in
        table.split(features: features, key: key.folded(in: table.name).folded(in: UInt64(split)))
      }
      let (n, t) = (Self.tableContext, table.rows.count)
      let x = Tensor(drawn.flatMap(\.x), shape: [splits, t, Self.mostFeatures])
      let y = Tensor(drawn.flatMap(\.y), shape: [splits, t])
      let isContext = Self.context(n, of: t)
      let scores = [
        q(x, y, isContext: isContext, from: n).squeezed([-1]), logistic(x, y), neighbors(x, y),
      ]
      let labels = y.sliced(n..<t, along: 1) .> 0.5
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
    let (n, s, f) = (Self.tableContext, x.shape[0], Self.mostFeatures + 1),
      penalties: [Float] = [0.1, 1, 10, 100]
    let ones = Tensor.concatenating([x, .ones([s, x.shape[1], 1])], along: -1)
    let (context, labels) = (ones.sliced(0..<n, along: 1), y.sliced(0..<n, along: 1))
    // Folds 0..<n leave one row out, the last none; the intercept has next to no penalty.
    let folds = Tensor.map(.coordinates([n + 1, n], along: 0), .coordinates([n + 1, n], along: 1)) {
      $0 .!= $1
    }
    let penalty = Tensor(
      penalties.flatMap { [Float](repeating: $0, count: f - 1) + [1e-3] }, shape: [4, 1, f])
    let w = logisticRegression(
      context.reshaped(to: [s, 1, 1, n, f]), labels: labels.reshaped(to: [s, 1, 1, n]),
      rowWeights: folds.converted(to: .float32), penalty: penalty)
    let left = context.reshaped(to: [s, 1, 1, n, f]).vectorProduct(w.sliced(0..<n, along: 2)).diagonal()
    let losses = binaryCrossEntropy(
      logits: left, targets: labels.reshaped(to: [s, 1, n]).broadcast(to: left.shape), reduction: .none)
    let best = losses.mean(along: -1).argumentMinimum(along: -1).oneHot(penalties.count)
    let chosen = (w.element(n, along: 2) * best.expanded(at: -1)).sum(along: 1)
    return ones.sliced(n..<x.shape[1], along: 1).vectorProduct(chosen)
  }

  /// The share of positives among the 5 nearest context rows of each query.
  private func neighbors(_ x: Tensor, _ y: Tensor) -> Tensor {
    let n = Self.tableContext
    let distances = x.sliced(n..<x.shape[1], along: 1).squaredDistances(to: x.sliced(0..<n, along: 1))
    let nearest = distances.topK(5, smallest: true).positions
    return y.sliced(0..<n, along: 1).gathered(at: nearest, batchAxes: 1).mean(along: -1)
  }
}
