import Foundation
import Hekla
import HeklaExperiments
import Synchronization
import TestSupport
import Testing

@testable import HeklaRecipes

@Suite struct PFNTests {
  /// The least that runs everything but tables: two steps a training, small networks, few tasks.
  private static let tiny = [
    "steps=2", "mixSteps=2", "tableSteps=2", "seeds=1", "rows=6", "tableRows=31", "batch=4", "buckets=8",
    "mixBuckets=8", "width=8", "heads=2", "hidden=8", "layers=1", "contexts=1,3,5", "tasks=20", "slowTasks=3",
    "slowContext=4",
    "splits=2",
  ]

  private static func tiny(_ assignments: String...) throws -> PFN { try PFN(applying: tiny + assignments) }

  private static func device(_ name: String) throws -> any Device {
    try DeviceCatalog.shared.device(named: name)
  }

  /// Software devices that are here; where CI says so all of them, so that a missing one fails.
  private static let softwareDevices = ["vulkan:0", "opencl:0"].filter { name in
    ProcessInfo.processInfo.environment["CI"] == "true" || (try? device(name)) != nil
  }

  /// A network whose parts add something, unlike at first, and tasks for it, through the float64 reference.
  private struct Fixture {
    let settings: PFN
    let q: PFN.Network
    let theta: [[Double]]
    let x = Tensor.input(0, Signature([2, 6, 1])), y = Tensor.input(1, Signature([2, 6]))
    let isContext = Tensor([true, true, true, false, false, false])
    let bars = BarDistribution(borders: [-2, -1, -0.5, 0, 0.3, 0.6, 1, 1.4, 2.5])

    init() throws {
      settings = try tiny()
      q = PFN.Network(settings, features: 1, outputs: 8, key: RandomKey(seed: 1))
      theta = q.trainableParameters.enumerated().map { index, parameter in
        (0..<parameter.shape.count).map {
          Double(RandomKey(seed: 2).folded(in: UInt64(index)).uniform(at: $0)) - 0.5
        }
      }
    }

    static func numbers(_ seed: UInt64) -> [Double] {
      (0..<12).map { Double(RandomKey(seed: seed).uniform(at: $0)) }
    }

    func values(
      _ tensors: [Tensor], x xs: [Double] = numbers(3), y ys: [Double] = numbers(4), theta: [[Double]]? = nil
    ) -> [[Double]] {
      var feeds = [x.node: HostArray(xs, shape: x.shape), y.node: HostArray(ys, shape: y.shape)]
      for (parameter, array) in zip(q.trainableParameters, theta ?? self.theta) {
        feeds[parameter.tensor.node] = HostArray(array, shape: parameter.shape)
      }
      return referenceValues(of: tensors, feeding: feeds).map { $0.doubles() }
    }

    /// The logits, [2, 6, 8], for these x and y.
    func logits(x xs: [Double] = numbers(3), y ys: [Double] = numbers(4)) -> [Double] {
      values([q(x, y, isContext: isContext)], x: xs, y: ys)[0]
    }
  }

  // MARK: The method's exact properties

  @Test func `A context is a set`() throws {
    let fixture = try Fixture()
    func rotated(_ numbers: [Double]) -> [Double] {
      [1, 2, 0, 3, 4, 5, 7, 8, 6, 9, 10, 11].map { numbers[$0] }
    }
    let before = fixture.logits()
    let after = fixture.logits(x: rotated(Fixture.numbers(3)), y: rotated(Fixture.numbers(4)))
    for index in before.indices where index / 8 % 6 >= 3 {
      #expect(abs(before[index] - after[index]) < 1e-12)
    }
  }

  @Test func `A query sees the context and itself, nobody sees a query, and nobody its label`() throws {
    let fixture = try Fixture()
    let before = fixture.logits()
    func isMoved(x: Int? = nil, y: Int? = nil) -> [Bool] {
      var (xs, ys) = (Fixture.numbers(3), Fixture.numbers(4))
      if let x { xs[x] += 0.5 }
      if let y { ys[y] += 0.5 }
      let after = fixture.logits(x: xs, y: ys)
      return (0..<12).map { row -> Bool in before[row * 8..<row * 8 + 8] != after[row * 8..<row * 8 + 8] }
    }
    #expect(isMoved(x: 4) == (0..<12).map { $0 == 4 })
    #expect(isMoved(y: 4) == (0..<12).map { _ in false })
    #expect(isMoved(x: 1) == (0..<12).map { $0 < 6 })
    #expect(isMoved(y: 1) == (0..<12).map { $0 < 6 })
  }

  @Test func `At first the parts of each block add nothing`() throws {
    let settings = try Self.tiny()
    let q = PFN.Network(settings, features: 1, outputs: 8, key: RandomKey(seed: 1))
    for block in q.blocks {
      for map in [block.attention.output, block.contraction] {
        #expect(referenceValues(of: [map.weight.initial])[0].doubles().allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func `The gradient of the whole model agrees with central differences`() throws {
    let fixture = try Fixture()
    let logits = fixture.q(fixture.x, fixture.y, isContext: fixture.isContext)
    let loss = PFN.queryMean(PFN.negativeLogDensity(logits, fixture.y, fixture.bars), fixture.isContext)
    let tensors = fixture.q.trainableParameters.map(\.tensor)
    let found = fixture.values(gradients(of: loss, withRespectTo: tensors))
    let step = 1e-5
    for (index, array) in fixture.theta.enumerated() {
      // Three elements of each parameter; biases of keys have no slope, as the softmax does not see them.
      for position in Set([0, array.count / 2, array.count - 1]) {
        func value(_ shift: Double) -> Double {
          var theta = fixture.theta
          theta[index][position] += shift
          return fixture.values([loss], theta: theta)[0][0]
        }
        // In float64 a central difference is off by about 1e-10 of the third derivative and 1e-11 by
        // rounding.
        let expected = (value(step) - value(-step)) / (2 * step)
        #expect(abs(found[index][position] - expected) < 1e-7, "parameter \(index), element \(position)")
      }
    }
    #expect(found.joined().contains { abs($0) > 0.01 })
  }

  @Test func `Labels of the tabular prior are balanced, features that do not count are 0`() throws {
    let (x, y) = PFN().networks.sample(16, Tensor(RandomKey(seed: 3)))
    let values = try PlanExecutor(Self.device("cpu")).values(of: [x, y]).map { $0.doubles() }
    var counts: Set<Int> = []
    for task in 0..<16 {
      let used = (0..<8).filter { column in
        (task * 60..<task * 60 + 60).contains { row in values[0][row * 8 + column] != 0 }
      }
      counts.insert(used.count)
      #expect(used == Array(0..<used.count) && !used.isEmpty, "task \(task)")
      #expect(values[1][task * 60..<task * 60 + 60].reduce(0, +) == 30, "task \(task)")
    }
    #expect(counts.count > 3)
  }

  @Test(arguments: ["cpu"] + softwareDevices)
  func `The loss and its gradients agree with the reference in double precision`(name: String) throws {
    let fixture = try Fixture()
    func results(_ x: Tensor, _ y: Tensor) -> [Tensor] {
      let logits = fixture.q(x, y, isContext: fixture.isContext)
      let loss = PFN.queryMean(PFN.negativeLogDensity(logits, y, fixture.bars), fixture.isContext)
      return [loss] + gradients(of: loss, withRespectTo: fixture.q.trainableParameters.map(\.tensor))
    }
    let executor = try PlanExecutor(Self.device(name))
    for (parameter, numbers) in zip(fixture.q.trainableParameters, fixture.theta) {
      try executor.assign(HostArray(numbers.map(Float.init), shape: parameter.shape), to: parameter)
    }
    let (xs, ys) = (Fixture.numbers(3).map(Float.init), Fixture.numbers(4).map(Float.init))
    let step = try executor.compile(inputs: [Signature([2, 6, 1]), Signature([2, 6])]) { inputs in
      StepDescription(outputs: results(inputs[0], inputs[1]))
    }
    let found = try step.run([HostArray(xs, shape: [2, 6, 1]), HostArray(ys, shape: [2, 6])])
    let expected = fixture.values(results(fixture.x, fixture.y))
    for (number, (found, expected)) in zip(found, expected).enumerated() {
      for (a, b) in zip(found.doubles(), expected) {
        // The numbers are the same in both. Results of size up to 3 through one block, whose functions are exact to
        // 70 units of 2^-23, 1e-5, and whose norms enlarge errors by up to 1 / 0.3.
        #expect(abs(a - b) <= 1e-4 * max(1, abs(b)), "result \(number): \(a), not \(b)")
      }
    }
  }

  // MARK: Training

  @Test(arguments: [("uniform", [12.0, 12, 12, 12, 12]), ("weighted", [12.0, 15, 20, 30, 60])])
  func `Sizes of contexts are uniform or favour late rows`(name: String, weights: [Double]) throws {
    let settings = try Self.tiny("contextSizes=\(name)")
    let step = try PlanExecutor(Self.device("cpu")).compile(inputs: [Signature([2], .uint32)]) { key in
      StepDescription(outputs: [settings.contextSize(of: 6, key: key[0])])
    }
    let drawn = try (0..<2000).map { number in
      try step.run([HostArray(RandomKey(seed: UInt64(number)))])[0].doubles()[0]
    }
    #expect(drawn.allSatisfy { (1...5).contains($0) })
    let total: Double = weights.reduce(0, +)
    for (place, weight) in weights.enumerated() {
      let p: Double = weight / total
      let count = drawn.filter { $0 == Double(place + 1) }.count
      let deviation: Double = (2000 * p * (1 - p)).squareRoot()
      #expect(abs(Double(count) - 2000 * p) < 5 * deviation, "n = \(place + 1): \(count)")
    }
  }

  private static func losses(_ name: String, steps: Int, seed: UInt64 = 0) throws -> [Double] {
    let settings = try tiny("learningRate=0.01")
    let executor = try PlanExecutor(device(name))
    let bars = BarDistribution(borders: [-2, -1, -0.5, 0, 0.3, 0.6, 1, 1.4, 2.5])
    let q = PFN.Network(settings, features: 1, outputs: 8, key: RandomKey(seed: 1))
    let step = try settings.step(q, settings.fixed, bars, steps: steps, on: executor)
    return try (0..<steps).map { number in
      try step.run([HostArray(RandomKey(seed: seed).folded(in: UInt64(number)))])[0].doubles()[0]
    }
  }

  @Test(arguments: softwareDevices)
  func `The first loss agrees with the processor's, and a second step can be made`(name: String) throws {
    let (expected, found) = (try Self.losses("cpu", steps: 2), try Self.losses(name, steps: 2))
    // Of the same tasks: their Cholesky factors have a condition of up to 25 in float32, from matrices of 600, which
    // leaves 600 2^-24 = 4e-5 of y; a loss moves by some times that.
    #expect(abs(found[0] - expected[0]) <= 3e-4 * abs(expected[0]), "\(found[0]), on cpu \(expected[0])")
    #expect(found[1].isFinite && found[1] != found[0])
  }

  @Test func `The same seed gives the same bits, another seed others`() throws {
    let first = try Self.losses("cpu", steps: 20, seed: 5)
    #expect(try Self.losses("cpu", steps: 20, seed: 5).map(\.bitPattern) == first.map(\.bitPattern))
    #expect(try Self.losses("cpu", steps: 1, seed: 6)[0] != first[0])
  }

  @Test func `A small network learns from the context`() throws {
    let losses = try Self.losses("cpu", steps: 600)
    // What knows nothing of the context is left at the entropy of the prior, 1.42 nats; the first guess is
    // worse.
    let (first, last) = (losses.prefix(20).reduce(0, +) / 20, losses.suffix(100).reduce(0, +) / 100)
    #expect(last < first - 0.2)
  }

  @Test func `A run measures A and B, draws both pictures and leaves C unmeasured`() throws {
    let folder = try TemporaryFolder()
    let output = try RunFolder(folder.path + "/run")
    let record = try Self.tiny().run(RunContext(device: Self.device("cpu"), output: output))
    #expect(record.losses.count == 4 && record.losses.allSatisfy(\.isFinite))
    for name in [
      "a.gap", "a.gap.1", "a.gap.most", "a.misspecified", "a.correlation.3", "a.coverage.least", "b.nll.pfn",
      "b.nll.mle", "b.nll.few.hmc", "b.seconds.pfn", "b.seconds.hmc", "exact.permutation",
    ] { #expect(record.metrics[name]?.isFinite == true, "\(name)") }
    #expect(record.metrics["exact.query"] == 0 && record.metrics["exact.permutation"] ?? 1 < 1e-4)
    #expect(record.metrics["c.auc.pfn"] == nil)
    #expect(try folder.text(of: "run/metrics.jsonl").split(separator: "\n").count == 1)
    for name in ["fan", "gap"] { #expect(try folder.text(of: "run/\(name).svg").contains("<svg")) }
    #expect(try folder.text(of: "run/fan.svg").contains("fill-opacity"))
  }

  // MARK: Input

  /// Writes the four tables: two features that tell the classes apart, the others 0.
  private static func write(_ rows: Int = 51, to folder: String) throws {
    for (set, first, second) in [
      (UCITable.breastCancer, 0, 1), (.wine, 0, 1), (.iris, 1, 2), (.digits, 3, 8),
    ] {
      let lines = (0..<rows).map { row -> String in
        // Every third row is of a third class, where there is one.
        let label = row % 3 == 0 ? first : row % 3 == 1 || set == .breastCancer ? second : 0
        let features = ["\(Double(row) / 50)", "\(label == second ? 5 : 0).\(row % 7)"]
        let rest = [String](repeating: "0", count: set.featureCount - 2)
        return (features + rest + ["\(set == .wine && row % 3 == 2 ? 2 : label)"]).joined(separator: ",")
      }
      let text = (set == .digits ? [] : ["51,2,a,b"]) + lines
      try text.joined(separator: "\n").write(
        toFile: "\(folder)/\(set.rawValue).csv", atomically: true, encoding: .utf8)
    }
  }

  private static func context(_ folder: String, _ transcript: @escaping @Sendable (String) -> Void = { _ in })
    -> RunContext
  {
    RunContext(
      device: NamedDevice("none"), dataFolder: URL(fileURLWithPath: folder),
      console: Console(terminal: .file, write: transcript))
  }

  @Test func `A table is read, split and compared`() throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder.path)
    let settings = try Self.tiny()
    let tables = try #require(try settings.tables(Self.context(folder.path)))
    #expect(tables.map(\.rows.count) == [51, 34, 34, 34])
    let (x, y) = tables[1].split(features: 1, key: RandomKey(seed: 1))
    #expect(y.prefix(30).reduce(0, +) == 15 && y.count == 34)
    // The second feature varies more; it is first, at scale 8, and the others are 0.
    #expect(x.enumerated().allSatisfy { $0.offset % 8 == 0 || $0.element == 0 })
    let squares = (0..<30).map { row -> Float in x[8 * row] * x[8 * row] }
    #expect(abs(squares.reduce(0, +) / 30 - 64) < 1e-3)
    let q = PFN.Network(settings, features: 8, outputs: 1, key: RandomKey(seed: 1))
    let executor = try PlanExecutor(Self.device("cpu"))
    let metrics = try settings.areas(q, tables, key: RandomKey(seed: 2), on: executor)
    #expect(metrics["c.auc.logistic"] == 1 && metrics["c.auc.neighbors"] == 1)
    #expect(metrics["c.auc.pfn"]?.isFinite == true)
  }

  @Test func `Without its tables C is skipped, which is said; a table with few rows stops the run`() throws {
    let folder = try TemporaryFolder()
    let said = Mutex("")
    let context = Self.context(folder.path) { text in said.withLock { $0 += text } }
    #expect(try PFN().tables(context) == nil)
    #expect(
      said.withLock { $0 }.contains("C is skipped") && said.withLock { $0 }.contains("breast_cancer.csv"))
    try Self.write(44, to: folder.path)
    let error = #expect(throws: DataError.self) { try PFN().run(context) }
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.contains("breast_cancer.csv") && text.contains("16 rows or more") && text.contains("[15, 29]"))
  }

  @Test(arguments: [
    ("contexts=0", "contexts", "1...5"), ("contexts=6", "contexts", "1...5"),
    ("slowContext=6", "slowContext", "1...5"), ("rows=0", "rows", "3...1000"), ("rows=2", "rows", "3...1000"),
    ("features=9", "features", "1...8"), ("features=0", "features", "1...8"),
    ("buckets=2", "buckets", "3...10000"), ("buckets=1000000", "buckets", "3...10000"),
    ("mixBuckets=2", "mixBuckets", "3...10000"), ("slowTasks=0", "slowTasks", "1...20"),
    ("slowTasks=21", "slowTasks", "1...20"),
    ("steps=0", "steps", "positive"), ("batch=0", "batch", "positive"), ("layers=0", "layers", "positive"),
    ("learningRate=0", "learningRate", "positive"), ("seeds=0", "seeds", "positive"),
    ("heads=3", "heads", "divide the width, 8"), ("tableRows=30", "tableRows", "31...1000"),
  ])
  func `A setting that cannot be is named, before anything runs`(
    assignment: String, name: String, reason: String
  ) throws {
    let experiment = try Self.tiny(assignment)
    let error = #expect(throws: ExperimentError.self) {
      try experiment.run(RunContext(device: NamedDevice("none")))
    }
    guard case .settingRejected(name, owner: "pfn", _, let text) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(text.contains(reason))
  }
}
