import Hekla
import HeklaExperiments

/// Classifies vertices by what lies many edges away: transform once, propagate far, weigh what hops bring.
///
/// Deep adaptive graph neural network, equation 8, of n vertices and c classes, A^ = D~^-1/2 (A + I) D~^-1/2:
/// Z = MLP(X), [n, c]; H_l = A^^l Z, l = 1..k; H = stack(Z, H_1, ..., H_k), [n, k+1, c]; retention scores
/// S = sigmoid(H s), [n, k+1, 1], one s, [c, 1], for all hops; X_out = softmax(squeeze(S^T H)). Equations 3-5:
/// D(x_i, x_j) = 1/2 |x_i / |x_i| - x_j / |x_j||; SMV_G is its mean over pairs of different vertices.
///
/// Departures: 300 epochs instead of 1,000, 10 seeds instead of 100, no PubMed; without data, a stochastic
/// block model. The baselines decay all weights, and APPNP drops no edges. SMV_G and S are of the last epoch; rows of
/// zeros have no direction, so that SMV_G is taken over the others, and how many they are is a metric, "zeros".
struct DAGNN: Experiment {
  static let paper = Paper(
    "Towards Deeper Graph Neural Networks", by: "Liu, Gao and Ji", year: 2020, id: "arXiv:2007.09296")

  var data = "auto"
  var seeds = 10
  var epochs = 300
  var hops = [1, 2, 5, 10, 20, 50]
  var layers = [2, 4, 8, 16, 32]

  static let settingNotes = [
    "data": "cora, citeseer or generated; auto is both former where a data folder is given, else the latter",
    "epochs": "the most of a training run; 100 without a lower validation loss end it before",
    "seeds": "repetitions", "hops": "of DAGNN, SGC and APPNP on the first graph",
    "layers": "of GCN on the first graph",
  ]

  static let claims = [
    Claim("DAGNN of 10 hops classifies at least 0.83 of Cora's test vertices", source: "table 2: 0.844") {
      $0["cora.dagnn.10"] >= 0.83
    },
    Claim("and at least 0.715 of CiteSeer's", source: "table 2: 0.733") { $0["citeseer.dagnn.10"] >= 0.715 },
    Claim("GCN of 2 layers has from 0.8 to 0.825 on Cora, as elsewhere", source: "table 2") {
      $0["cora.gcn.2"] >= 0.8 && $0["cora.gcn.2"] <= 0.825
    },
    Claim("on the first graph DAGNN loses at most 0.02 from 10 hops to 50", source: "figure 5") {
      $0["dagnn.50"] >= $0["dagnn.10"] - 0.02
    },
    Claim("there GCN loses at least 0.15 from 2 layers to 16", source: "figure 1") {
      $0["gcn.16"] <= $0["gcn.2"] - 0.15
    },
    Claim(
      "there SMV_G of GCN's last hidden layer falls to a fifth or less from 2 layers to 16",
      source: "section 3"
    ) { $0["smv.gcn.16"] <= $0["smv.gcn.2"] / 5 },
    Claim("there SMV_G of A^^300 X is less than a third of that of A^^10 X", source: "section 3") {
      $0["smv.x.300"] < $0["smv.x.10"] / 3
    },
    Claim("there propagation is the product with the dense A^ to 1e-5", source: "equation 8") {
      $0["exact.propagation"] <= 1e-5
    },
  ]
}

extension DAGNN {
  // MARK: - Data

  typealias Choice = (dropout: Double, weightDecay: Double)
  /// A graph: X, [n, d], with rows that sum to 1; A^, [n, n]; and what the authors chose for it.
  struct Problem {
    let name: String, graph: LabeledGraph, choice: Choice
    let x, a: SparseMatrix

    init(_ name: String, _ graph: LabeledGraph, _ choice: Choice) throws {
      let (rows, columns, values) = graph.normalizedFeatures
      let (n, d) = (graph.vertexCount, graph.featureCount)
      x = try SparseMatrix(rowCount: n, columnCount: d, rows: rows, columns: columns, values: values)
      a = try Graph.normalizedAdjacency(vertexCount: n, edges: graph.edges)
      (self.name, self.graph, self.choice) = (name, graph, choice)
    }
  }

  func problems(_ context: RunContext) throws -> [Problem] {
    try Self.requirePositive(["seeds": seeds, "epochs": epochs])
    for value in hops { try Self.requirePositive(["hops": value]) }
    for value in layers where value < 2 { throw Self.rejected("layers", value, "the least is 2") }
    if data == "generated" || (data == "auto" && context.dataFolder == nil) {
      let graph = StochasticBlockModel().graph(key: RandomKey(seed: 40))
      context.console.print("the graph is generated: a \(graph.name) of \(graph.vertexCount) vertices")
      return [try Problem("generated", graph, (0.5, 5e-3))]
    }
    let chosen = data == "auto" ? [.cora, .citeseer] : Planetoid.Variant(rawValue: data).map { [$0] }
    guard let chosen else { throw Self.rejected("data", data, "it is auto, cora, citeseer or generated") }
    let folder = try context.requiredDataFolder(for: Self.name, contents: "the text files of Planetoid").path
    return try chosen.map {
      try Problem($0.rawValue, Planetoid.load($0, from: folder), $0 == .cora ? (0.8, 5e-3) : (0.5, 2e-2))
    }
  }

  // MARK: - Model

  enum Method: String { case dagnn, gcn, sgc, appnp, mlp }

  /// What is usual for the baselines; SGC also takes steps of 0.2 instead of 0.01.
  static let choices: [Method: Choice] = [
    .gcn: (0.5, 5e-4), .sgc: (0, 1e-5), .appnp: (0.5, 5e-4), .mlp: (0.5, 5e-4),
  ]

  /// One of the methods, `depth` hops deep; GCN, layers.
  struct Network: Module {
    let method: Method, depth: Int
    /// MLP(X) with 64 hidden units; with none for SGC; over the graph, with 16, for GCN. Then s, [c, 1].
    let f: GraphConvolutionalNetwork, s: Parameter?

    init(_ method: Method, _ depth: Int, on problem: Problem, key: RandomKey) {
      let (d, c, draw) = (problem.graph.featureCount, problem.graph.classCount, Initializer.glorotUniform)
      let hidden = method == .gcn ? [Int](repeating: 16, count: depth - 1) : method == .sgc ? [] : [64]
      f = .init([d] + hidden + [c], dropout: (choices[method] ?? problem.choice).dropout, key: key)
      s = method == .dagnn ? Parameter(draw([c, 1], fanIn: c, fanOut: 1, key: key.folded(in: "s"))) : nil
      (self.method, self.depth) = (method, depth)
    }

    /// Logits, [n, c]; what SMV_G is of: these, or GCN's last hidden layer; S, [n, k+1]. No key, no dropout.
    func callAsFunction(_ x: SparseMatrix, _ a: SparseMatrix, key: Tensor? = nil) -> [Tensor] {
      if method == .sgc {
        // A^^k (X W) + b: c columns to propagate instead of d, and b, which every vertex has, not at all.
        let layer = f.convolutions[0], heard = a.power(depth, times: layer.linear(x))
        let out = layer.bias.map { heard + $0.tensor } ?? heard
        return [out, out]
      }
      let layers = f.layers(of: x, over: method == .gcn ? a : nil, key: key)
      let z = layers[layers.count - 1]
      if let s {
        // Hop by hop, which is the same and writes no array of all hops.
        let h = a.powers(times: z, count: depth)
        let scores = h.map { $0.matrixProduct(s.tensor).sigmoid() }
        let out = zip(scores, h).map { $0 * $1 }.reduce(.zeros([]), +)
        return [out, out, .concatenating(scores, along: 1)]
      }
      if method == .gcn { return [z, layers[layers.count - 2]] }
      // MLP has depth 0.
      let out = a.personalizedPageRank(of: z, teleport: 0.1, count: depth)
      return [out, out]
    }
  }

  // MARK: - Objective

  /// Cross-entropy and accuracy at some vertices.
  static func objective(_ logits: Tensor, _ graph: LabeledGraph, at vertices: [Int32]) throws -> [Tensor] {
    let chosen = logits.gathered(at: try Segments(vertices, count: graph.vertexCount))
    let labels = Tensor(vertices.map { graph.labels[Int($0)] })
    return [crossEntropy(logits: chosen, labels: labels), accuracy(logits: chosen, labels: labels)]
  }

  /// SMV_G of the rows of `x`, [n, d], that are not zero, 0 where these are fewer than two; and the share of the
  /// others. Cancellation adds some 3e-4 where rows agree.
  static func smoothness(_ x: Tensor) -> [Tensor] {
    let (unit, n) = (x.normalized(), Double(x.shape[0]))
    let counts = x.absolute().maximum(along: 1).sign(), m = counts.sum()
    let sum = (unit.squaredDistances(to: unit).squareRoot() * counts.outerProduct(counts)).sum()
    return [Tensor.map(sum, m) { $0 / (2 * .maximum($1 * ($1 - 1), 1)) }, 1 - m / n]
  }

  // MARK: - Training

  func run(_ context: RunContext) throws -> RunRecord {
    let (problems, executor) = (try problems(context), try context.makeExecutor())
    let first = problems[0].name
    var (runs, losses) = ([Metrics](), [Double]())
    for problem in problems {
      let all = [(Method.dagnn, hops), (.gcn, layers), (.sgc, hops), (.appnp, hops), (.mlp, [0])]
      let few = [(Method.dagnn, [10]), (.gcn, [2]), (.sgc, [2]), (.appnp, [10]), (.mlp, [0])]
      for (method, depths) in problem.name == first ? all : few {
        for depth in depths {
          runs += try train(method, depth, on: problem, executor, context) { losses.append($0) }
        }
      }
    }
    runs.append(try measured(problems[0], executor))
    if let output = context.output { try draw(runs, of: first, into: output) }
    var metrics = Metrics(meanOf: runs)  // The first graph's also without its name: claims compare these.
    for (name, value) in metrics.values where name.hasPrefix("\(first).") {
      metrics[String(name.dropFirst(first.count + 1))] = value
    }
    return try context.record(of: self, losses: losses, metrics: metrics)
  }

  /// Judges the weights that it finds, by training loss, and loss and accuracy elsewhere; then moves them.
  static func step(_ f: Network, _ adam: Adam, _ data: Problem, _ on: PlanExecutor) throws -> CompiledStep {
    try on.compile(inputs: [Signature([2], .uint32)]) { key in
      let (x, a, graph) = (data.x, data.a, data.graph)
      let loss = try objective(f(x, a, key: key[0])[0], graph, at: graph.train)[0]
      let judged = try [graph.validation, graph.test].flatMap { try objective(f(x, a)[0], graph, at: $0) }
      return StepDescription(outputs: [loss] + judged, assignments: adam.assignments(minimizing: loss))
    }
  }

  /// Trains from each seed until 100 epochs bring no lower validation loss; tells what was at the lowest.
  func train(
    _ method: Method, _ depth: Int, on problem: Problem, _ executor: PlanExecutor, _ context: RunContext,
    each: (Double) -> Void
  ) throws -> [Metrics] {
    func network(_ key: RandomKey) -> Network { Network(method, depth, on: problem, key: key) }
    func name(_ quantity: String) -> String { "\(problem.name)\(quantity).\(method).\(depth)" }
    let (f, epochs) = (network(context.key), context.limits.stepCount(epochs, stepsPerEpoch: 1))
    let optimizer = Adam(
      for: f.trainableParameters, learningRate: method == .sgc ? 0.2 : 0.01,
      weightDecay: (Self.choices[method] ?? problem.choice).weightDecay)
    let step = try Self.step(f, optimizer, problem, executor)
    let now = f(problem.x, problem.a)
    let outputs = Self.smoothness(now[1]) + now.dropFirst(2).map { $0.mean(along: 0) }
    let measure = try executor.compile(StepDescription(outputs: outputs))
    let progress = context.progress("\(method) \(depth) on \(problem.name)", total: seeds * epochs)
    defer { progress.finish() }
    return try (0..<seeds).map { seed in
      let key = context.key.folded(in: UInt64(seed))
      let weights = network(key.folded(in: "weights")).trainableParameters.map(\.initial)
      try executor.assign(executor.values(of: weights), to: optimizer.parameters)
      try executor.reset(optimizer.stateParameters)
      var (metrics, stopping) = (Metrics(), EarlyStopping(patience: 100))
      for epoch in 0..<epochs where !stopping.isOver {
        let dropout = HostArray(key.folded(in: "dropout").folded(in: UInt64(epoch)))
        let values = try step.run([dropout]).map { $0.doubles()[0] }
        each(try Self.finite(values[0], of: "\(name("")) at epoch \(epoch)"))
        progress.advance(to: seed * epochs + epoch + 1, loss: values[0])
        if stopping.isBest(values[1], at: epoch) {
          metrics = [name(".epoch"): Double(epoch), name(".validation"): values[2], name(""): values[4]]
        }
      }
      let measured = try measure.run().map { $0.doubles() }
      (metrics[name(".smv")], metrics[name(".zeros")]) = (measured[0][0], measured[1][0])
      for (hop, score) in measured.dropFirst(2).joined().enumerated() {
        metrics[name(".score\(hop)")] = score
      }
      try context.output?.append(step: seed, metrics)
      return metrics
    }
  }
}
