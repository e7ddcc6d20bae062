import Foundation
import Hekla
import HeklaExperiments
import TestSupport
import Testing

@testable import HeklaRecipes

@Suite struct PointerNetTests {
  private static func device(_ name: String) throws -> any Device {
    try DeviceCatalog.shared.device(named: name)
  }

  /// Software devices that are here; where CI says so all of them, so that a missing one fails.
  private static let softwareDevices = ["vulkan:0", "opencl:0"].filter { name in
    ProcessInfo.processInfo.environment["CI"] == "true" || (try? device(name)) != nil
  }

  /// The least that runs everything.
  private static func tiny(_ assignments: String...) throws -> PointerNet {
    try PointerNet(
      applying: ["steps=2", "batch=3", "h=4", "tests=3", "beam=2", "networks=hull"] + assignments)
  }

  // MARK: The method's exact properties

  @Test(arguments: ["cpu"] + softwareDevices)
  func `Probabilities sum to 1, are 0 at padding, and mixed lengths change nothing`(name: String) throws {
    let f = PointerNet.Network(.hull, 8, key: RandomKey(seed: 1))
    let metrics = try PointerNet.exactness(f, PlanExecutor(Self.device(name)))
    // A sum of at most 13 quotients, each off by some units of the last place, 6e-8.
    #expect(try #require(metrics["exact.sum"]) < 1e-6)
    #expect(metrics["exact.padding"] == 0)
    #expect(try #require(metrics["exact.mixed"]) < 1e-5)
  }

  @Test func `u is equation 3, of states that a decoder fed by hand has`() throws {
    let f = PointerNet.Network(.hull, 4, key: RandomKey(seed: 2))
    let attention = try #require(f.attention)
    let given = PlanarExamples(.convexHull, count: 2, sizes: 6...6, key: RandomKey(seed: 3))
    let logits = f(Tensor(given.x), Tensor(given.lengths), Tensor(given.positions))
    for b in 0..<2 {
      let (p, c) = (given.points[b].points, given.answers[b])
      // Coordinates of mean 0 and variance 1.
      func row(_ point: SIMD2<Double>) -> Tensor {
        (Tensor([Float(point.x), Float(point.y)], shape: [1, 2]) - 0.5) * 12.0.squareRoot()
      }
      var state = f.encoder.cell.zeroState(batch: 1)
      var e = [f.e0.tensor.reshaped(to: [1, 4])]
      for point in p {
        state = f.encoder.cell(row(point), state: state)
        e.append(state[0])
      }
      for i in c.indices {
        let x = i == 0 ? f.start.tensor.reshaped(to: [1, 2]) : row(p[c[i - 1] - 1])
        state = f.decoder.cell(x, state: state)
        let wanted = e.map { e in
          let inside =
            e.matrixProduct(attention.keyWeight.tensor) + state[0].matrixProduct(attention.queryWeight.tensor)
          return (inside.tanh() * attention.scoreWeight.tensor).sum()
        }
        let found = logits.sliced(starts: [i, b, 0], extents: [1, 1, 7]).reshaped(to: [7])
        let difference = (found - .stacking(wanted)).absolute().maximum()
        #expect(referenceValues(of: [difference])[0].doubles()[0] < 1e-12, "example \(b), step \(i)")
      }
    }
  }

  @Test(arguments: [PointerNet.Kind.hull, .lstm, .attention])
  func `The gradient of the whole model agrees with central differences`(kind: PointerNet.Kind) throws {
    let f = PointerNet.Network(kind, 3, key: RandomKey(seed: 4))
    let given = PlanarExamples(.convexHull, count: 2, sizes: 3...4, key: RandomKey(seed: 5))
    let loss = PointerNet.objective(f, given.arrays.map { Tensor($0) })
    let theta = f.trainableParameters
    let start = theta.enumerated().map { index, parameter in
      let key = RandomKey(seed: 6).folded(in: UInt64(index))
      return (0..<parameter.shape.count).map { Double(key.uniform(at: $0)) - 0.4 }
    }
    func values(of tensors: [Tensor], at point: [[Double]]) -> [[Double]] {
      let fed = zip(theta, point).map { ($0.tensor.node, HostArray($1, shape: $0.shape)) }
      return referenceValues(of: tensors, feeding: Dictionary(uniqueKeysWithValues: fed)).map { $0.doubles() }
    }
    let found = values(of: gradients(of: loss, withRespectTo: theta.map(\.tensor)), at: start)
    let step = 1e-5
    for (index, array) in start.enumerated() {
      // Some of a large array, all of a small one.
      for position in stride(from: 0, to: array.count, by: array.count > 3 ? 5 : 1) {
        func value(_ shift: Double) -> Double {
          var point = start
          point[index][position] += shift
          return values(of: [loss], at: point)[0][0]
        }
        // In float64 a central difference is off by about 1e-10 of the third derivative and 1e-11 by rounding.
        let expected = (value(step) - value(-step)) / (2 * step)
        #expect(abs(found[index][position] - expected) < 1e-8, "parameter \(index), element \(position)")
      }
    }
    // e_0 of a network that does not attend is alone in having none.
    #expect(found.filter { $0.allSatisfy { $0 == 0 } }.count == (kind == .lstm ? 1 : 0))
  }

  @Test func `The processor's gradient is the reference's`() throws {
    let f = PointerNet.Network(.hull, 8, key: RandomKey(seed: 11))
    let given = PlanarExamples(.convexHull, count: 3, sizes: 4...6, key: RandomKey(seed: 12))
    let loss = PointerNet.objective(f, given.arrays.map { Tensor($0) })
    let theta = f.trainableParameters
    let slopes = gradients(of: loss, withRespectTo: theta.map(\.tensor))
    let executor = try PlanExecutor(Self.device("cpu"))
    let found = try executor.values(of: slopes).map { $0.doubles() }
    let fed = try theta.map { ($0.tensor.node, try executor.values(of: $0)) }
    let wanted = referenceValues(of: slopes, feeding: Dictionary(uniqueKeysWithValues: fed)).map {
      $0.doubles()
    }
    for (index, (a, b)) in zip(found, wanted).enumerated() {
      let size = b.map(abs).max() ?? 0
      // Sums of a hundred products in float32, over a dozen steps one after the other.
      #expect(
        size > 0 && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 * max(size, 1e-2) }, "parameter \(index)")
    }
  }

  // MARK: Training

  /// The loss of a batch and its gradient by each parameter, of a network drawn anew from one key on each device.
  private static func slopes(on name: String) throws -> [[Double]] {
    let f = PointerNet.Network(.hull, 8, key: RandomKey(seed: 11))
    let given = PlanarExamples(.convexHull, count: 3, sizes: 4...6, key: RandomKey(seed: 12))
    let loss = PointerNet.objective(f, given.arrays.map { Tensor($0) })
    let asked = [loss] + gradients(of: loss, withRespectTo: f.trainableParameters.map(\.tensor))
    return try PlanExecutor(device(name)).values(of: asked).map { $0.doubles() }
  }

  @Test(arguments: softwareDevices)
  func `The loss and its gradient agree with those of the processor`(name: String) throws {
    let (found, wanted) = (try Self.slopes(on: name), try Self.slopes(on: "cpu"))
    for (index, (a, b)) in zip(found, wanted).enumerated() {
      let size = b.map(abs).max() ?? 0
      // As for the processor and the reference, each of which may be off on its own side.
      #expect(
        size > 0 && zip(a, b).allSatisfy { abs($0 - $1) < 2e-5 * max(size, 1e-2) }, "output \(index)")
    }
  }

  /// The losses of `count` steps on one batch.
  private static func losses(_ name: String, _ kind: PointerNet.Kind, steps count: Int) throws -> [Double] {
    let executor = try PlanExecutor(device(name))
    let f = PointerNet.Network(kind, 8, key: RandomKey(seed: 7))
    let given = PlanarExamples(kind.problem, count: 4, sizes: kind.sizes.trained, key: RandomKey(seed: 8))
    let step = try PointerNet(applying: ["learningRate=0.02", "warmup=1"]).step(
      f, given, of: 2 * count, executor)
    return try (0..<count).map { _ in try step.run(given.arrays)[0].doubles()[0] }
  }

  @Test(arguments: ["cpu"] + softwareDevices)
  func `Two steps are the same bits again, and bring the loss down`(name: String) throws {
    let found = try Self.losses(name, .hull, steps: 2)
    #expect(found.allSatisfy(\.isFinite) && found[1] < found[0], "\(found)")
    #expect(try Self.losses(name, .hull, steps: 2) == found)
  }

  @Test(arguments: PointerNet.Kind.allCases)
  func `A network learns a batch by heart`(kind: PointerNet.Kind) throws {
    let losses = try Self.losses("cpu", kind, steps: 200)
    #expect(losses[199] < 0.5 * losses[0], "\(losses[0]) to \(losses[199])")
  }

  @Test func `Beam search of one beam chooses what the network, fed its own choices, holds likeliest`() throws
  {
    let executor = try PlanExecutor(Self.device("cpu"))
    let f = PointerNet.Network(.hull, 6, key: RandomKey(seed: 9))
    let given = PlanarExamples(.convexHull, count: 3, sizes: 5...5, key: RandomKey(seed: 10))
    let found = try Self.tiny("h=6", "beam=1").decoded(f, .convexHull, given, executor)
    var positions = HostArray([Int32](repeating: -1, count: 18), shape: [6, 3])
    for (b, c) in found.enumerated() {
      var column = [Int32](repeating: -1, count: 18)
      for (i, position) in c.enumerated() { column[i * 3 + b] = Int32(position) }
      let others = positions.elements(as: Int32.self)
      positions = HostArray(zip(others, column).map { max($0, $1) }, shape: [6, 3])
    }
    let p = try f(Tensor(given.x), Tensor(given.lengths), Tensor(positions)).values(on: executor)
      .elements(as: Float.self)
    for (b, c) in found.enumerated() {
      for (i, position) in c.enumerated() {
        let row = p[((i * 3 + b) * 6)...].prefix(6).map(\.self)
        let allowed = row.indices.filter { PlanarProblem.convexHull.allows($0, after: Array(c[..<i])) }
        #expect(row[position] == allowed.map { row[$0] }.max(), "example \(b), step \(i)")
      }
    }
  }

  @Test func `Everything runs, tours are valid, and pictures are drawn`() throws {
    let folder = try TemporaryFolder()
    let output = try RunFolder(folder.path + "/run")
    let record = try Self.tiny("networks=hull,hull10,lstm,attention,tour,delaunay").run(
      RunContext(device: Self.device("cpu"), output: output))
    #expect(record.losses.count == 12 && record.losses.allSatisfy(\.isFinite))
    for n in [8, 10, 12] {
      #expect(record.metrics["tour.valid.\(n)"] == 1)
      #expect(try folder.text(of: "run/tour-\(n).svg").contains("<polygon"))
    }
    #expect(try folder.text(of: "run/metrics.jsonl").split(separator: "\n").count == 6)
    let names = PointerNet.claims.map { $0.finding(on: record.metrics).verdict }
    for verdict in names { if case .notMeasured(let missing) = verdict { Issue.record("\(missing)") } }
  }

  @Test func `The same seed gives the same bits, another seed others`() throws {
    func run(_ seed: UInt64) throws -> RunRecord {
      try Self.tiny().run(RunContext(device: Self.device("cpu"), seed: seed))
    }
    let (first, again) = (try run(5), try run(5))
    #expect(first.losses == again.losses && first.metrics == again.metrics)
    #expect(try run(6).losses != first.losses)
  }

  // MARK: Settings

  @Test(arguments: [
    ("seeds=0", "seeds"), ("steps=0", "steps"), ("batch=-1", "batch"), ("h=0", "h"), ("beam=0", "beam"),
    ("tests=0", "tests"), ("learningRate=0", "learningRate"), ("warmup=0", "warmup"),
    ("networks=hull,hulls", "networks"),
  ])
  func `A setting that cannot be is named, before anything runs`(assignment: String, name: String) throws {
    let error = #expect(throws: ExperimentError.self) {
      try Self.tiny(assignment).run(RunContext(device: NamedDevice("none")))
    }
    guard case .settingRejected(name, owner: "pointer-net", _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
