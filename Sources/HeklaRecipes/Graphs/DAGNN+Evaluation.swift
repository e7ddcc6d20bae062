import Hekla
import HeklaExperiments

extension DAGNN {
  /// SMV_G of A^^k X, and how far propagation is from the product with the dense A^.
  func measured(_ problem: Problem, _ executor: PlanExecutor) throws -> Metrics {
    let (x, a, z) = (problem.x, problem.a, Tensor.normal([problem.x.shape[0], 8], key: RandomKey(seed: 8)))
    let powers = a.powers(times: x.product(.identity(x.shape[1])), count: Swift.max(300, hops.max() ?? 0))
    let error = a.product(z) - a.product(.identity(a.shape[0])).matrixProduct(z)
    let places = Set(hops + [10, 300]).sorted()
    let outputs = [error.absolute().maximum()] + places.flatMap { Self.smoothness(powers[$0]) }
    let names =
      ["exact.propagation"]
      + places.flatMap { k in ["smv", "zeros"].map { "\(problem.name).\($0).x.\(k)" } }
    let values = try executor.values(of: outputs).map { $0.doubles()[0] }
    return Metrics(Dictionary(uniqueKeysWithValues: zip(names, values)))
  }

  /// Accuracy and SMV_G against depth, scores against hops.
  func draw(_ runs: [Metrics], of graph: String, into output: RunFolder) throws {
    func chart(_ title: String, _ names: [String], named file: String) throws {
      let lines: [LineChart.Series] = names.map { name in
        .init(name, at: name.hasSuffix("gcn") ? layers : hops, of: runs) { "\(graph).\(name).\($0)" }
      }
      let x = LineChart.Axis("hops, or layers of GCN", scale: .logarithmic)
      try output.write(LineChart("\(title), \(graph)", x: x, y: .init(title), series: lines), named: file)
    }
    try chart("test accuracy", ["dagnn", "gcn", "sgc", "appnp"], named: "accuracy")
    try chart("SMV_G", ["smv.dagnn", "smv.gcn", "smv.x"], named: "smoothness")
    let lines: [LineChart.Series] = hops.map { k in
      .init("k = \(k)", at: 0...k, of: runs) { "\(graph).score\($0).dagnn.\(k)" }
    }
    let scores = LineChart("retention, \(graph)", x: .init("hop"), y: .init("mean score"), series: lines)
    try output.write(scores, named: "scores")
  }
}
