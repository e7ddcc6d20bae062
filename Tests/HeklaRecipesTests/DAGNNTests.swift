import Foundation
import Hekla
import HeklaExperiments
import TestSupport
import Testing

@testable import HeklaRecipes

@Suite struct DAGNNTests {
  private static func device(_ name: String) throws -> any Device {
    try DeviceCatalog.shared.device(named: name)
  }

  /// Software devices that are here; where CI says so all of them, so that a missing one fails.
  private static let softwareDevices = ["vulkan:0", "opencl:0"].filter { name in
    ProcessInfo.processInfo.environment["CI"] == "true" || (try? device(name)) != nil
  }

  /// Two rings of six vertices of one class each, joined by an edge, and vertex 12, which stands alone.
  ///
  /// - Parameter order: The name of each vertex.
  private static func graph(order: [Int] = Array(0..<13)) -> LabeledGraph {
    func named(_ vertex: Int) -> Int32 { Int32(order[vertex]) }
    var edges = (0..<12).map { (named($0), named($0 / 6 * 6 + ($0 + 1) % 6)) }
    edges.append((named(5), named(6)))
    var (features, labels) = ([[Int32]](repeating: [], count: 13), [Int32](repeating: 0, count: 13))
    for vertex in 0..<13 {
      features[order[vertex]] = [Int32(vertex % 5), Int32(5 + vertex / 6)]
      labels[order[vertex]] = Int32(vertex / 6 % 2)
    }
    return LabeledGraph(
      name: "rings", featureCount: 8, classCount: 2, edges: edges, features: features, labels: labels,
      train: [0, 6].map(named), validation: [1, 2, 7, 12].map(named), test: [3, 8].map(named))
  }

  private static func problem(order: [Int] = Array(0..<13)) throws -> DAGNN.Problem {
    try DAGNN.Problem("rings", graph(order: order), (0.5, 5e-3))
  }

  private static let methods: [(DAGNN.Method, Int)] = [
    (.dagnn, 3), (.gcn, 3), (.sgc, 2), (.appnp, 3), (.mlp, 0),
  ]

  /// Losses and accuracies of `count` steps, weights drawn anew from one key on each device.
  private static func trained(
    _ method: DAGNN.Method, _ depth: Int, on name: String, steps count: Int
  ) throws -> [[Double]] {
    let executor = try PlanExecutor(device(name))
    let problem = try problem()
    let f = DAGNN.Network(method, depth, on: problem, key: RandomKey(seed: 1))
    let optimizer = Adam(for: f.trainableParameters, learningRate: 0.01, weightDecay: 5e-3)
    let step = try DAGNN.step(f, optimizer, problem, executor)
    return try (0..<count).map { number in
      try step.run([HostArray([UInt32(number), 7])]).map { $0.doubles()[0] }
    }
  }

  // MARK: The method's exact properties

  @Test func `DAGNN's output and scores are equation 8`() throws {
    let problem = try Self.problem()
    let f = DAGNN.Network(.dagnn, 3, on: problem, key: RandomKey(seed: 2))
    let z = try #require(f.f.layers(of: problem.x, over: nil).last)
    let s = try #require(f.s)
    let a = problem.a.product(.identity(13))
    let h = Tensor.stacking((0...3).map { (0..<$0).reduce(z) { z, _ in a.matrixProduct(z) } }, along: 1)
    let scores = h.matrixProduct(s.tensor).sigmoid()
    let out = scores.transposed().matrixProduct(h).squeezed([1])
    let found = referenceValues(of: f(problem.x, problem.a) + [out, scores]).map { $0.doubles() }
    #expect(found[2].count == 13 * 4 && found[0].count == 13 * 2)
    // The reference is float64; A^ is the same float32 numbers in both.
    #expect(zip(found[0], found[3]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(zip(found[2], found[4]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func `Other names of the vertices give the same rows under their names`() throws {
    let order = RandomKey(seed: 3).permutation(of: 13)
    for (method, depth) in Self.methods {
      let (plain, renamed) = (try Self.problem(), try Self.problem(order: order))
      let f = DAGNN.Network(method, depth, on: plain, key: RandomKey(seed: 4))
      let found = referenceValues(of: [f(plain.x, plain.a)[0], f(renamed.x, renamed.a)[0]]).map {
        $0.doubles()
      }
      for vertex in 0..<13 {
        for column in 0..<2 {
          let (here, there) = (found[0][vertex * 2 + column], found[1][order[vertex] * 2 + column])
          #expect(abs(here - there) < 1e-12, "\(method), vertex \(vertex)")
        }
      }
    }
  }

  @Test func `A vertex without edges gets what it has: every hop is Z`() throws {
    let problem = try Self.problem()
    let f = DAGNN.Network(.dagnn, 5, on: problem, key: RandomKey(seed: 5))
    let z = try #require(f.f.layers(of: problem.x, over: nil).last)
    let powers = problem.a.powers(times: z, count: 5)
    let rows = referenceValues(of: powers + [f(problem.x, problem.a)[2]]).map { $0.doubles() }
    for power in rows[..<6] { #expect(Array(power.suffix(2)) == Array(rows[0].suffix(2))) }
    #expect(Set(rows[6].suffix(6)).count == 1)
  }

  @Test func `SGC's bias is added after the propagation, not spread by it`() throws {
    let problem = try Self.problem()
    let f = DAGNN.Network(.sgc, 2, on: problem, key: RandomKey(seed: 5))
    let layer = f.f.convolutions[0]
    let b = try #require(layer.bias)
    let x = problem.x.product(.identity(8)), a = problem.a.product(.identity(13))
    let expected = a.matrixProduct(a).matrixProduct(x).matrixProduct(layer.linear.weight.tensor) + b.tensor
    let fed = [b.tensor.node: HostArray([0.5, -2.0], shape: [2])]
    let found = referenceValues(of: [f(problem.x, problem.a)[0], expected], feeding: fed).map { $0.doubles() }
    #expect(zip(found[0], found[1]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(f.trainableParameters.count == 2)
  }

  @Test func `Smoothness is the mean over pairs of rows that are not zero, 0 for equal directions`() throws {
    let x = Tensor([3, 0, 0, 5, -2, 0] as [Float], shape: [3, 2])
    let equal = Tensor([1, 2, 2, 4, 3, 6] as [Float], shape: [3, 2])
    let withZeros = Tensor([0, 0, 3, 0, 0, 5, 0, 0, -2, 0] as [Float], shape: [5, 2])
    let one = Tensor([0, 0, 1, 2] as [Float], shape: [2, 2])
    func smoothness(_ x: Tensor) -> [Double] {
      referenceValues(of: DAGNN.smoothness(x)).map { $0.doubles()[0] }
    }
    // Two right angles, each sqrt(2) / 2, and one pair that is opposite, 1.
    let expected: Double = (2.0.squareRoot() + 1) / 3
    for (x, zeros) in [(x, 0.0), (withZeros, 0.4)] {
      #expect(abs(smoothness(x)[0] - expected) < 1e-12 && abs(smoothness(x)[1] - zeros) < 1e-12)
    }
    #expect(smoothness(equal)[0] < 1e-7)
    #expect(smoothness(one) == [0, 0.5] && smoothness(.zeros([3, 2])) == [0, 1])
  }

  @Test func `The gradient of the whole model agrees with central differences`() throws {
    let problem = try Self.problem()
    for (method, depth) in [(DAGNN.Method.dagnn, 3), (.gcn, 3)] {
      let f = DAGNN.Network(method, depth, on: problem, key: RandomKey(seed: 6))
      let key = Tensor(RandomKey(seed: 7))
      let loss = try DAGNN.objective(
        f(problem.x, problem.a, key: key)[0], problem.graph, at: problem.graph.train)[0]
      let parameters = f.trainableParameters
      // Shifts that are not 0 keep the inputs of the rectified units off their kink.
      let start = parameters.enumerated().map { index, parameter in
        let key = RandomKey(seed: 9).folded(in: UInt64(index))
        return (0..<parameter.shape.count).map { Double(key.uniform(at: $0)) - 0.4 }
      }
      func values(of tensors: [Tensor], at theta: [[Double]]) -> [[Double]] {
        let fed = zip(parameters, theta).map { ($0.tensor.node, HostArray($1, shape: $0.shape)) }
        return referenceValues(of: tensors, feeding: Dictionary(uniqueKeysWithValues: fed)).map {
          $0.doubles()
        }
      }
      let found = values(of: gradients(of: loss, withRespectTo: parameters.map(\.tensor)), at: start)
      let step = 1e-5
      for (index, array) in start.enumerated() {
        // Some six of each array, since the reference is slow.
        for position in stride(from: 0, to: array.count, by: array.count / 6 + 1) {
          func value(_ shift: Double) -> Double {
            var theta = start
            theta[index][position] += shift
            return values(of: [loss], at: theta)[0][0]
          }
          // In float64 a central difference is off by about 1e-10 of the third derivative and 1e-11 by rounding.
          let expected = (value(step) - value(-step)) / (2 * step)
          #expect(abs(found[index][position] - expected) < 1e-8, "\(method) \(index), element \(position)")
        }
      }
      #expect(found.joined().contains { abs($0) > 0.01 })
    }
  }

  // MARK: Training

  @Test func `Every method learns the rings, and two runs are equal bit for bit`() throws {
    for (method, depth) in Self.methods {
      let found = try Self.trained(method, depth, on: "cpu", steps: 60)
      // Losses are noisy, since dropout takes all of a vertex's two features at times.
      func mean(_ steps: some Sequence<[Double]>) -> Double { steps.reduce(0) { $0 + $1[0] } / 20 }
      #expect(mean(found.suffix(20)) < 0.8 * mean(found.prefix(20)), "\(method)")
      let again = try Self.trained(method, depth, on: "cpu", steps: 60)
      #expect(again.joined().map(\.bitPattern) == found.joined().map(\.bitPattern), "\(method)")
    }
  }

  /// The loss with dropout and its gradient by each parameter, of a network drawn anew from one key on each device.
  private static func slopes(_ method: DAGNN.Method, _ depth: Int, on name: String) throws -> [[Double]] {
    let problem = try problem(), key = Tensor(RandomKey(seed: 7))
    let f = DAGNN.Network(method, depth, on: problem, key: RandomKey(seed: 1))
    let logits = f(problem.x, problem.a, key: key)[0]
    let loss = try DAGNN.objective(logits, problem.graph, at: problem.graph.train)[0]
    let asked = [loss] + gradients(of: loss, withRespectTo: f.trainableParameters.map(\.tensor))
    return try PlanExecutor(device(name)).values(of: asked).map { $0.doubles() }
  }

  @Test(arguments: softwareDevices)
  func `The loss of DAGNN and GCN and its gradient agree with those of the processor`(name: String) throws {
    for (method, depth) in [(DAGNN.Method.dagnn, 3), (.gcn, 2)] {
      let found = try Self.slopes(method, depth, on: name), wanted = try Self.slopes(method, depth, on: "cpu")
      for (index, (a, b)) in zip(found, wanted).enumerated() {
        let size = b.map(abs).max() ?? 0
        // Each number is a sum of at most 64 terms, over layers and hops ten such sums one after the other: in any
        // order they are off by less than 10 * 64 half-units of their largest terms, 6e-8 each.
        #expect(
          size > 0 && zip(a, b).allSatisfy { abs($0 - $1) <= 4e-5 * size }, "\(method), output \(index)")
      }
    }
  }

  @Test(arguments: ["cpu"] + softwareDevices)
  func `Two steps are the same bits again, and bring the loss down`(name: String) throws {
    for (method, depth) in [(DAGNN.Method.dagnn, 3), (.gcn, 2)] {
      let found = try Self.trained(method, depth, on: name, steps: 2)
      #expect(found.joined().allSatisfy { $0.isFinite })
      // Of the validation part, without dropout: the training loss is of other features in each step.
      #expect(found[1][1] < found[0][1], "\(method): \(found)")
      #expect(try Self.trained(method, depth, on: name, steps: 2) == found)
    }
  }

  @Test func `50 hops of APPNP are planned in the memory of 10`() throws {
    let problem = try Self.problem()
    func byteCount(_ k: Int) throws -> Int {
      let f = DAGNN.Network(.appnp, k, on: problem, key: RandomKey(seed: 1))
      let step = try PlanExecutor(Self.device("cpu")).compile(
        StepDescription(outputs: [f(problem.x, problem.a)[0].sum()]))
      return step.plan.workingByteCount
    }
    #expect(try byteCount(50) == byteCount(10))
  }

  @Test func `A small run trains everything, appends a line a network and draws three charts`() throws {
    let folder = try TemporaryFolder()
    let output = try RunFolder(folder.path + "/run")
    let experiment = try DAGNN(applying: ["seeds=2", "epochs=3", "hops=1,2", "layers=2"])
    let record = try experiment.run(RunContext(device: Self.device("cpu"), output: output))
    #expect(record.losses.count == 2 * 3 * (2 + 1 + 2 + 2 + 1))
    #expect(record.losses.allSatisfy { $0.isFinite })
    for name in [
      "generated.dagnn.2", "dagnn.2", "gcn.2", "sgc.1", "appnp.2", "mlp.0", "score2.dagnn.2", "smv.x.300",
      "zeros.x.300", "zeros.gcn.2",
    ] {
      #expect(record.metrics[name] != nil, "\(name)")
    }
    #expect(try folder.text(of: "run/metrics.jsonl").split(separator: "\n").count == 2 * 8)
    for name in ["accuracy", "smoothness", "scores"] {
      #expect(try folder.text(of: "run/\(name).svg").contains("</svg>"))
    }
    let exact = try #require(record.metrics["exact.propagation"])
    #expect(exact <= 1e-5)
  }

  // MARK: Settings

  @Test(arguments: [
    ("seeds=0", "seeds"), ("epochs=-1", "epochs"), ("hops=1,0", "hops"), ("layers=2,1", "layers"),
    ("data=pubmed", "data"),
  ])
  func `A setting that cannot be is named, before anything runs`(assignment: String, name: String) throws {
    let error = #expect(throws: ExperimentError.self) {
      try DAGNN(applying: [assignment]).run(RunContext(device: NamedDevice("none")))
    }
    guard case .settingRejected(name, owner: "dagnn", _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `Cora needs a folder, and files that are missing are named`() throws {
    let experiment = try DAGNN(applying: ["data=cora"])
    #expect(throws: ExperimentError.dataFolderNeeded(owner: "dagnn", contents: "the text files of Planetoid"))
    {
      try experiment.run(RunContext(device: NamedDevice("none")))
    }
    let folder = try TemporaryFolder()
    let context = RunContext(device: NamedDevice("none"), dataFolder: URL(fileURLWithPath: folder.path))
    let error = #expect(throws: DataError.self) { try DAGNN().run(context) }
    #expect(error.map { "\($0)".contains("cora.nodes.txt") } == true)
  }
}
